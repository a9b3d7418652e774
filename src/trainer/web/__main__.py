"""`python -m trainer.web`: serve the page."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.web import WebConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.web") -> int:
    """Run the command; returns its exit status."""
    leave_on_signals()

    def run(config: WebConfig) -> int:
        from trainer.web.server import serve  # takes a second, during which Ctrl-C must work

        return serve(config, stop_on_signals())

    return run_command(WebConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
