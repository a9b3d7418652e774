"""The settings of the checker of games: the flags of `python -m trainer.check`."""

from __future__ import annotations

from dataclasses import dataclass, field

from trainer.settings.base import POSITIONAL, Settings
from trainer.settings.validation import LogLevel, require, require_at_least, require_seed


@dataclass(frozen=True)
class CheckConfig(Settings):
    """Look for mistakes in the rules of a game, and print what the game is like."""

    game: str = field(default="", metadata=POSITIONAL)
    """The game: `hex:size=5`, or the path of a file with rules, with or without parameters: `./mygame.py:size=5`."""
    against: str | None = None
    """Also compare with this game of OpenSpiel, such as "hex(board_size=5)"."""
    depth: int | None = None
    """Count lines of play of up to this many plies and turns; None: up to 4, as long as there are few."""
    games: int = 1000
    """Random games that each check plays. Some play fewer of a large game, and say how many; with n times the default they
    play up to n times as many."""
    seed: int = 0
    """Seed of these games."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require(
            bool(self.game), "no game is given; name it by id or by file, as in python -m trainer.check ./mygame.py"
        )
        require_at_least(self, 1, "games", "depth")
        require_seed(self.seed)
