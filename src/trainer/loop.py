"""Self-play, training and evaluation in one command: `python -m trainer.loop --env-id tictactoe`.

The actor and the trainer are processes of their own, joined only by files, so each can be stopped and inspected alone. This
process watches their statistics, evaluates the newest model every few seconds, and shows the progress.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.core.arguments import given, parse, value_of
from trainer.core.command import run_command
from trainer.core.errors import ConfigError
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.loop import LoopConfig

__all__ = ["LoopConfig", "config_from", "main"]


def config_from(words: Sequence[str], prog: str = "python -m trainer.loop") -> LoopConfig:
    """The settings that `words` ask for; those they leave out come from the game's recipe, or from the run resumed."""
    from trainer.games import game_of, settled  # NumPy takes a moment to import
    from trainer.games.recipes import changed, continued, recipe_of
    from trainer.gpu.choice import means_gpu
    from trainer.run.folder import RunFolder
    from trainer.run.kept_rules import kept_game
    from trainer.run.record import LOOP, recorded_settings

    named, folder = value_of(words, "--env-id"), value_of(words, "--data-dir")
    env_id = game_of(named or LoopConfig.env_id).env_id
    base = None
    if "--resume" in words:
        run = RunFolder(LoopConfig(env_id=env_id, data_dir=Path(folder) if folder else None).folder)
        base = recorded_settings(run.record, LOOP, LoopConfig)
        if not named:
            if base is None:
                raise ConfigError(
                    f"there is no run in {run.path} to resume, for it has no run.json; give the --data-dir of the run, or "
                    f"begin one there by naming its game with --env-id"
                )
            kept_game(run.path, base.env_id)  # from now on this process knows the game
    resumed = base
    base = base or recipe_of(env_id, means_gpu(value_of(words, "--device") or LoopConfig.device))
    parsed = parse(LoopConfig, prog, words, base)
    settings: dict[str, Any] = {name: getattr(parsed, name) for name in given(LoopConfig, words)}
    return settled(continued(resumed, **settings) if resumed else changed(base, **settings))


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.loop") -> int:
    """The command."""
    leave_on_signals()

    def run(config: LoopConfig) -> int:
        from trainer.launch.local import run_loop  # compiled code takes a second to import

        return run_loop(config, stop_on_signals())

    return run_command(LoopConfig, run, prog, arguments, lambda words: config_from(words, prog))


if __name__ == "__main__":
    sys.exit(main())
