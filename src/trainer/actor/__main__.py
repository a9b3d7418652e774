"""`python -m trainer.actor`: play games and store them in the replay database."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.actor import ActorConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.actor") -> int:
    """The command."""
    leave_on_signals()

    def run(config: ActorConfig) -> int:
        from trainer.actor.actor import act  # compiled code takes a second to import

        act(config, stop_on_signals())
        return 0

    return run_command(ActorConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
