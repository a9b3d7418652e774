"""What evaluating in 8-bit integers gives to self-play."""

from __future__ import annotations

from statistics import median

from bench.job import Job
from bench.measured import Result
from bench.models import place_model, trained_model
from bench.turns import actor, alternate, ready
from trainer.actor.actor import ActorConfig
from trainer.actor.quantize import Quantizer
from trainer.games import game_of
from trainer.inference import LATEST, load_model
from trainer.recipes import RECIPES

GAMES = ("connect4", "othello")


def measure(job: Job) -> list[Result]:
    """The loop's network of each game after a short run, the whole actor by turns with and without."""
    return [compare(job, env_id) for env_id in GAMES]


def compare(job: Job, env_id: str) -> Result:
    """One game with the loop's openings and PUCT. Raises RuntimeError where there would be nothing to compare."""
    size, recipe, game = job.size, RECIPES[env_id], game_of(env_id)
    with job.scratch() as folder:
        content = trained_model(job, folder / "run", env_id).read_bytes()
        games = min(size.games, ActorConfig.games)
        flags = ("--simulations", size.simulations, "--games", games, "--threads", size.threads)
        more = ("--random-openings", recipe.random_openings, "--replay-window", 200_000)
        for name in ("int8", "float32"):
            place_model(folder / name, content)
        model = load_model(folder / "int8" / "models" / LATEST, env_id, game.obs_size, game.num_actions)
        if Quantizer(env_id)(content, model) is model:
            raise RuntimeError(f"the network of {env_id} has no twin in 8-bit integers here")
        small = actor(folder / "int8", env_id, *flags, *more, "--int8")
        plain = actor(folder / "float32", env_id, *flags, *more)
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
