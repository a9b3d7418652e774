"""What evaluating in 8-bit integers gives to self-play."""

from __future__ import annotations

from statistics import median

from bench.job import Job
from bench.measured import Result
from bench.models import trained_model
from bench.turns import actor, alternate, ready
from trainer.actor.actor import ActorConfig
from trainer.files import write_bytes
from trainer.games import game_of
from trainer.inference import LATEST
from trainer.recipes import RECIPES

GAMES = ("connect4", "othello")


def measure(job: Job) -> list[Result]:
    """The loop's network of each game after a short run, the whole actor by turns with and without."""
    return [compare(job, env_id) for env_id in GAMES]


def compare(job: Job, env_id: str) -> Result:
    """One game, as the loop plays it but for the number of simulations."""
    size, recipe = job.size, RECIPES[env_id]
    with job.scratch() as folder:
        content = trained_model(job, folder / "run", env_id).read_bytes()
        games = min(size.games, ActorConfig.games)
        flags = ("--simulations", size.simulations, "--games", games, "--threads", size.threads)
        more = ("--random-openings", recipe.random_openings, "--replay-window", 200_000)
        for name in ("int8", "float32"):
            path = folder / name / "models" / LATEST
            path.parent.mkdir(parents=True)
            write_bytes(path, content)
        small = actor(folder / "int8", env_id, *flags, *more, "--int8")
        plain = actor(folder / "float32", env_id, *flags, *more)
        with ready(small, plain):
            turns = alternate(size.rounds, lambda: small.turn(size.turn), lambda: plain.turn(size.turn))
    ours, theirs = turns
    each = [median(turn.each_core("simulations") for turn in side) for side in (ours, theirs)]
    return Result(
        f"{game_of(env_id).display_name}, convolutional network, --int8",
        "simulations/s",
        [turn.rates["simulations"] for turn in ours],
        "the same actor in float32",
        [turn.rates["simulations"] for turn in theirs],
        note=f"{each[0] / each[1]:.2f} times by the time on a core",
    )
