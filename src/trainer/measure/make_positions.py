"""`python -m trainer.measure.make_positions`: make a set of Connect 4 test positions (takes minutes, needs bitbully)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.core.command import run_command
from trainer.core.signals import leave_on_signals
from trainer.settings.validation import LogLevel, require_at_least, require_output, require_seed


@dataclass(frozen=True)
class MakeConfig:
    """Draw and solve the Connect 4 positions in which wrong moves are counted."""

    output: Path = Path("positions.csv")
    """File to write."""
    each: int = 1000
    """Positions of each kind."""
    seed: int = 0
    """Seed of the positions."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "each")
        require_seed(self.seed)
        require_output(self.output, "--output")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer.measure.make_positions") -> int:
    """The command."""
    leave_on_signals()

    def run(config: MakeConfig) -> int:
        from trainer.measure.connect4_positions import make_positions  # compiled code takes a second to import

        config.check()
        make_positions(config.each, config.seed, config.output)
        return 0

    return run_command(MakeConfig, run, prog, arguments)


if __name__ == "__main__":
    sys.exit(main())
