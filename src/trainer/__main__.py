"""`python -m trainer`: train on the games of a replay database."""

from __future__ import annotations

import sys

from trainer.command import run_command, stop_on_signals


def main() -> int:
    """The command."""
    stop = stop_on_signals()
    from trainer.trainer import TrainerConfig, train  # torch takes seconds to import

    return run_command(TrainerConfig, lambda config: train(config, stop), prog="python -m trainer")


if __name__ == "__main__":
    sys.exit(main())
