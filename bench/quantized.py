"""What evaluating in 8-bit integers gives to self-play."""

from __future__ import annotations

from statistics import median

from bench.job import Job
from bench.measured import Result
from bench.models import trained_model
from bench.turns import alternate, loop_actor, ready
from trainer.actor.quantize import Quantizer
from trainer.evaluators.onnx_file import OnnxModel
from trainer.games import game_of

GAMES = ("connect4", "othello")


def measure(job: Job) -> list[Result]:
    """The loop's network of each game after a short run, the whole actor by turns with and without."""
    return [compare(job, env_id) for env_id in GAMES]


def compare(job: Job, env_id: str) -> Result:
    """One game with the loop's openings and PUCT. Raises RuntimeError where there would be nothing to compare."""
    size, game = job.size, game_of(env_id)
    with job.scratch() as folder:
        content = trained_model(job, folder / "run", env_id).read_bytes()
        model = OnnxModel(content, "the network of the loop", env_id, game.obs_size, game.num_actions)
        if Quantizer(env_id)(content, model) is model:
            raise RuntimeError(f"the network of {env_id} has no twin in 8-bit integers here")
        small = loop_actor(size, folder / "int8", env_id, content, "--int8")
        plain = loop_actor(size, folder / "float32", env_id, content)
        with ready(small, plain):
            turns = alternate(size.rounds, lambda: small.turn(size.turn), lambda: plain.turn(size.turn))
    ours, theirs = turns
    each = [median(turn.each_core("simulations") for turn in side) for side in (ours, theirs)]
    return Result(
        f"{game.display_name}, convolutional network, --int8",
        "simulations/s",
        [turn.rates["simulations"] for turn in ours],
        "the same actor in float32",
        [turn.rates["simulations"] for turn in theirs],
        note=f"{each[0] / each[1]:.2f} times by the time on a core",
    )
