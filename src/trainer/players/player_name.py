"""What the name of a player says, as --opponent and --against take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.core.errors import ConfigError
from trainer.players.engines import own_go

RANDOM, SEARCH, ROLLOUTS, PERFECT, MINIMAX = KNOWN = ("random", "search", "rollouts", "perfect", "minimax")
GTP, UCI = ENGINES = ("gtp", "uci")
"""Engines, by the protocol that they speak; a name continues with a colon and a command."""
FUNCTION, MODEL = "function", "model"
"""Files: Python with a function `choose`, whose name ends in .py, and ONNX models."""
MOST_PLIES = 30
"""The most that `minimax` looks ahead; each ply takes several times as long."""
SIMULATIONS = {SEARCH: 100, ROLLOUTS: 1000, UCI: 10_000}
"""Default simulations of the players that search by simulations, and aren't models; for engines the nodes to search."""


@dataclass(frozen=True)
class PlayerName:
    """A player's name, taken apart."""

    kind: str
    """RANDOM, SEARCH, ROLLOUTS, PERFECT, MINIMAX, GTP, UCI, FUNCTION or MODEL."""
    rest: str = ""
    """The plies of `minimax:8`, the command of an engine, the path of a file."""

    @classmethod
    def read(cls, text: str) -> PlayerName:
        """From `random`, `minimax:8`, `gtp: gnugo --mode gtp`, `bot.py`, `data/models/latest.onnx`. Raises ConfigError for
        plies that can't be looked ahead; whether there is such a file isn't asked."""
        kind, colon, rest = text.partition(":")
        if colon and kind in ENGINES:
            return cls(kind, rest)
        if colon and kind == MINIMAX:
            if not (rest.isascii() and rest.isdigit() and 1 <= int(rest) <= MOST_PLIES):
                raise ConfigError(f"the player {text!r} should look 1 to {MOST_PLIES} plies ahead, as in {MINIMAX}:8")
            return cls(kind, rest)
        if text in KNOWN:
            return cls(text)
        return cls(FUNCTION if text.endswith(".py") else MODEL, text)

    @property
    def is_random(self) -> bool:
        """Whether it plays at random, so that games differ without openings."""
        return self.kind == RANDOM

    @property
    def is_engine(self) -> bool:
        """Whether it is another program."""
        return self.kind in ENGINES

    @property
    def model(self) -> Path | None:
        """The path of a model; None for other players."""
        return Path(self.rest) if self.kind == MODEL else None

    @property
    def plies(self) -> int | None:
        """How many plies `minimax:8` looks ahead; None for `minimax`, which has its game's default, and for others."""
        return int(self.rest) if self.kind == MINIMAX and self.rest else None

    @property
    def searches(self) -> bool:
        """Whether a number of simulations means something to it. Raises ConfigError for a command that can't be read."""
        if self.kind == UCI:
            return own_go(self.rest) is None
        return self.kind == MODEL or self.kind in SIMULATIONS

    def simulations(self, given: int | None, of_models: int) -> int:
        """How many simulations it makes: as many as are `given`, or else its default; `of_models` is that of models."""
        return SIMULATIONS.get(self.kind, of_models) if given is None else given
