"""`python -m trainer.cluster`: what the loop starts in place of an actor if it gets --ray."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals, stop_on_signals
from trainer.settings.cluster import ClusterConfig
from trainer.settings.web import is_loopback


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.cluster") -> int:
    """The command."""
    leave_on_signals()

    def run(config: ClusterConfig) -> int:
        config.check()
        address = config.ray or "auto"
        if is_loopback(address.rpartition(":")[0]):
            # Else Ray takes 127.0.0.1 for the machine's own address.
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        os.environ |= {"RAY_DEDUP_LOGS": "0", "RAY_COLOR_PREFIX": "0"}  # plain lines in the log, all of them
        from trainer.cluster.on_ray.connection import connected  # Ray takes seconds to import
        from trainer.cluster.on_ray.driver import drive

        with connected(address):
            drive(config, address, stop_on_signals())  # here, because Ray sets handlers of its own when it connects
        return 0

    return run_command(ClusterConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
