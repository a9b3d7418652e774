"""`python -m trainer.ladder`: the strength of a run's models against each other."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.ladder import LadderConfig

__all__ = ["LadderConfig", "main"]


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.ladder") -> int:
    """The command."""
    leave_on_signals()

    def run(config: LadderConfig) -> int:
        from trainer.measure.ladder import rate_models  # compiled code takes a second to import

        return rate_models(config)

    return run_command(LadderConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
