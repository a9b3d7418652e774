"""`python -m trainer.check GAME`: find mistakes in the rules of a game, and print what the game is like."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.check import CheckConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.check") -> int:
    """The command."""
    leave_on_signals()

    def run(config: CheckConfig) -> int:
        from trainer.check.report import check  # compiled code takes a second to import

        return check(config)

    return run_command(CheckConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
