"""Actors as workloads, started with the command that users run."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.support.models import place_model
from bench.support.size import Size
from bench.support.workload import Workload
from trainer.actor.actor import ActorConfig
from trainer.run.actor_statistics import ACTOR_STATS_FILE
from trainer.settings.recipes import RECIPES

POSITIONS = "total_steps"
"""The count of `actor_stats.json` that turns are measured by: stored positions."""


def flags_of(**values: object) -> list[str]:
    """Command-line flags: `cache=0, gumbel=True` is `--cache 0 --gumbel`; what is False or None is left out."""
    flags: list[str] = []
    for name, value in values.items():
        if value is not None and value is not False:
            flags.append(f"--{name.replace('_', '-')}")
            if value is not True:
                flags.append(str(value))
    return flags


def actor(folder: Path, env_id: str, **settings: object) -> Workload:
    """An actor that plays the model of the run in `folder` and writes rows into its database."""
    files = flags_of(data_dir=folder, replay_db_path=folder / "replay.db")
    command = [sys.executable, "-m", "trainer.actor", "--env-id", env_id, "--wait-for-model", "--log-level", "ERROR"]
    return Workload([[*command, *files, *flags_of(**settings)]], folder / ACTOR_STATS_FILE, POSITIONS)


def loop_actor(size: Size, folder: Path, env_id: str, content: bytes, **settings: object) -> Workload:
    """An actor that plays the model file `content` in `folder`, with PUCT and as many random openings as in the loop."""
    place_model(folder, content)
    return actor(
        folder,
        env_id,
        simulations=size.simulations,
        threads=size.threads,
        games=min(size.games, ActorConfig.games),
        random_openings=RECIPES[env_id].random_openings,
        replay_window=size.window,
        **settings,
    )
