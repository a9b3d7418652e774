"""`python -m trainer`: train on the games of a replay database."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trainer.core.arguments import parse, value_of
from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.trainer import TrainerConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer") -> int:
    """The command."""
    leave_on_signals()

    def complete(words: Sequence[str]) -> TrainerConfig:
        """The arguments, with the settings of the run that is resumed in place of the defaults.

        If minutes alone are given, the default number of steps doesn't bound a new run.
        """
        from trainer.run.folder import RunFolder
        from trainer.run.record import TRAIN, recorded_settings

        run = RunFolder(Path(value_of(words, "--stats") or TrainerConfig.stats).parent)
        resumed = recorded_settings(run.record, TRAIN, TrainerConfig) if "--resume" in words else None
        config = parse(TrainerConfig, prog, words, resumed)
        if resumed is None and config.minutes is not None and value_of(words, "--steps") is None:
            return replace(config, steps=None)
        return config

    def run(config: TrainerConfig) -> int:
        from trainer.trainer import train  # torch takes seconds to import

        return train(config, stop_on_signals())

    return run_command(TrainerConfig, run, prog, arguments, complete)


if __name__ == "__main__":
    sys.exit(main())
