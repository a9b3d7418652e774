"""Memory of the actor that the loop starts, for every game, and for one as large as chess."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.report.result import Result, Target
from bench.support.job import Job
from bench.support.models import publish_model
from bench.support.workload import wait_until
from trainer.actor.memory import actor_memory, within_memory
from trainer.core.arguments import arguments_of
from trainer.core.json_values import read_json_object
from trainer.core.signals import PARENT_VARIABLE
from trainer.games import ENV_IDS, game_of
from trainer.games.recipes import changed, recipe_of
from trainer.launch.local import actor_config
from trainer.run.folder import RunFolder

MB = 10**6
QUEENS = str(Path(__file__).parents[1] / "support" / "queens.py")
MOST = 1500
"""MB that an actor may take with default settings."""
LOOK_SECONDS = 0.1
"""Time between two looks at the memory, which no process announces."""


def measure(job: Job) -> list[Result]:
    """The most resident memory while games are played with the recipe's settings and a network of its family."""
    results = []
    for env_id in (*ENV_IDS, QUEENS) if job.size.every_game else ("tictactoe",):
        with job.scratch() as folder:
            results.append(of_game(env_id, folder, job.size.memory_seconds))
    return results


def of_game(env_id: str, folder: Path, seconds: float) -> Result:
    """One game, until `seconds` after the first answers of the network. Raises RuntimeError if they don't come."""
    game, recipe = game_of(env_id), recipe_of(env_id)
    config = actor_config(changed(recipe, data_dir=folder, log_level="ERROR"))
    publish_model(env_id, folder, recipe.network)
    settings = within_memory(game, config)
    predicted = actor_memory(game, settings).total / MB
    command = [sys.executable, "-m", "trainer.actor", *arguments_of(config)]
    stats = RunFolder(folder).actor_stats
    with subprocess.Popen(command, env=os.environ | {PARENT_VARIABLE: str(os.getpid())}) as process:
        try:
            watched, looks = psutil.Process(process.pid), []

            def has_played() -> bool:
                looks.append(watched.memory_info().rss / MB)
                return (read_json_object(stats) or {}).get("simulations", 0) > 0

            wait_until(has_played, f"the actor of {env_id} plays nothing", process, every=LOOK_SECONDS)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if process.poll() is not None:
                    raise RuntimeError(f"the actor of {env_id} ended with status {process.returncode}")
                looks.append(watched.memory_info().rss / MB)
                time.sleep(LOOK_SECONDS)
        finally:
            process.kill()
    note = f"games, trees and caches: at most {predicted:,.0f} MB, for {settings.games} games per thread"
    return Result(
        f"{game.env_id}, the loop's actor", "MB", [max(looks)], target=Target(most=MOST), pick="most", note=note
    )
