"""`python -m trainer.cluster`: what the loop starts in place of an actor if it gets --ray."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.cluster import ClusterConfig


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.cluster") -> int:
    """The command."""
    leave_on_signals()

    def run(config: ClusterConfig) -> int:
        from trainer.cluster.on_ray.connection import connected  # Ray takes seconds to import
        from trainer.cluster.on_ray.driver import drive

        config.check()
        address = config.ray or "auto"
        with connected(address):
            drive(config, address, stop_on_signals())  # here, because Ray sets handlers of its own when it connects
        return 0

    return run_command(ClusterConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
