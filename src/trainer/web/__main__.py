"""`python -m trainer.web`: serve the page."""

from __future__ import annotations

import sys

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals


def main() -> int:
    """The command."""
    leave_on_signals()
    from trainer.web.server import WebConfig, serve  # what is compiled takes a second to import

    return run_command(WebConfig, lambda config: serve(config, stop_on_signals()), prog="python -m trainer.web")


if __name__ == "__main__":
    sys.exit(main())
