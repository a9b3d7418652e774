"""Actors as workloads, started with the command that users run."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.support.models import place_model
from bench.support.size import Size
from bench.support.workload import Workload
from trainer.games.recipes import recipe_of
from trainer.run.folder import RunFolder
from trainer.settings.actor import ActorConfig

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


def actor(path: Path, env_id: str, patience: float | None = None, **settings: object) -> Workload:
    """An actor that plays the model of the run at `path` and writes rows into its database. `patience`: see Workload."""
    run = RunFolder(path)
    files = flags_of(data_dir=run.path, replay_db_path=run.replay)
    command = [sys.executable, "-m", "trainer.actor", "--env-id", env_id, "--wait-for-model", "--log-level", "WARNING"]
    return Workload([[*command, *files, *flags_of(**settings)]], run.actor_stats, POSITIONS, patience=patience)


def loop_actor(size: Size, path: Path, env_id: str, content: bytes, **settings: object) -> Workload:
    """An actor that plays the model file `content` in the run at `path`, with PUCT and the loop's `random_openings`."""
    place_model(path, content)
    return actor(
        path,
        env_id,
        simulations=size.simulations,
        threads=size.threads,
        games=min(size.games, ActorConfig.games),
        random_openings=recipe_of(env_id).random_openings,
        replay_window=size.window,
        **settings,
    )
