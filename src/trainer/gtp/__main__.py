"""`python -m trainer.gtp`: play a model from other programs, through GTP."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.gtp import GtpConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.gtp") -> int:
    """The command."""
    leave_on_signals()

    def run(config: GtpConfig) -> int:
        from trainer.gtp.session import serve  # compiled code takes a second to import

        return serve(config)

    return run_command(GtpConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
