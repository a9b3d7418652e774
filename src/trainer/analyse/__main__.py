"""`python -m trainer.analyse`: what a model thinks of many positions, one JSON object per line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.analyse import AnalyseConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.analyse") -> int:
    """The command."""
    leave_on_signals()

    def run(config: AnalyseConfig) -> int:
        from trainer.analyse.answers import analyse  # compiled code takes a second to import

        return analyse(config)

    return run_command(AnalyseConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
