"""`python -m trainer.play`: play against a model in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.play import PlayConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.play") -> int:
    """The command."""
    leave_on_signals()

    def run(config: PlayConfig) -> int:
        from trainer.play.table import play  # compiled code takes a second to import

        return play(config)

    return run_command(PlayConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
