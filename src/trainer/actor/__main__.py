"""`python -m trainer.actor`: play games and write them to the replay database."""

from __future__ import annotations

import sys

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals


def main() -> int:
    """The command."""
    leave_on_signals()
    from trainer.actor.actor import ActorConfig, act  # what is compiled takes a second to import

    def run(config: ActorConfig) -> int:
        act(config, stop_on_signals())
        return 0

    return run_command(ActorConfig, run, prog="python -m trainer.actor")


if __name__ == "__main__":
    sys.exit(main())
