"""`python -m trainer`: train on the games of a replay database."""

from __future__ import annotations

import sys

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals


def main() -> int:
    """The command."""
    leave_on_signals()
    from trainer.settings.trainer import TrainerConfig
    from trainer.trainer import train  # torch takes seconds to import

    return run_command(TrainerConfig, lambda config: train(config, stop_on_signals()), prog="python -m trainer")


if __name__ == "__main__":
    sys.exit(main())
