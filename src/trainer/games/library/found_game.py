"""A game with its rules, as it was found."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from trainer.core.errors import GameError
from trainer.core.python_file import PythonFile
from trainer.games import complete
from trainer.games.base import Game
from trainer.games.library.names import OF_CONTRACT, RULES_FILE, in_package, with_parameters
from trainer.games.library.source_file import run_file
from trainer.games.library.stamp import stamp_of


@dataclass(frozen=True)
class FoundGame:
    """A game with its rules."""

    game: Game
    """Its env_id has the parameters."""
    own: ModuleType
    """The game's module, uncompiled."""
    path: Path
    """Its file."""
    text: bytes
    """The content of the file, as it was run."""
    parameters: tuple[tuple[str, int], ...]
    """Those that differ from their defaults."""

    @property
    def name(self) -> str:
        """A name by which other processes find it, wherever they run."""
        return with_parameters(self.path.parent.name if self.in_package else str(self.path), self.parameters)

    @property
    def in_package(self) -> bool:
        """Whether it is a game of this package."""
        return in_package(self.path)

    @cached_property
    def stamp(self) -> str | None:
        """The hash of the rules, which their rows and models carry; None for the games of the contract.

        Other programs know those three by their names, and what is written of them has no place for a hash.
        """
        if self.in_package and self.game.env_id in OF_CONTRACT:
            return None
        return stamp_of(self.text, self.parameters, self.own)

    def require_unchanged(self) -> None:
        """Raise GameError if the file no longer holds what was run."""
        try:
            changed = self.path.read_bytes() != self.text
        except OSError:
            changed = True
        if changed:
            raise GameError(
                f"{self.path} was changed after this process had read it; start the command, or Python, again"
            )

    @property
    def where_older_rules_are(self) -> str:
        """For messages about rows and models of other rules: where to find those."""
        if self.in_package:
            return "use the version of this program that made them (their run's run.json names its commit)"
        return "use the rules of their run, which keeps a copy in its folder `rules`"

    def warning_of_long_games(self, outcome: str) -> str:
        """A warning that games are longer than `max_plies`; `outcome` says what becomes of them."""
        game = self.game
        return (
            f"{game.env_id} has games that are longer than its max_plies of {game.max_plies}; {outcome}; raise that in the "
            f"game's file, or let play end such games"
        )

    @property
    def constants(self) -> dict[str, Any]:
        """The sizes of the game and what its rules have, for kernels to bind."""
        game = self.game
        return {
            "NUM_CELLS": game.num_cells,
            "NUM_ACTIONS": game.num_actions,
            "MOST_MOVES": game.most_moves,
            "FEW_LEGAL": game.few_legal,
            "FLAG_WORDS": game.flag_words,
            "RAW_WORDS": game.raw_words,
            "KEY_WORDS": game.deciding_words,
            "LEGAL_BEGIN": game.legal_mask_offset,
            "HAS_HISTORY": game.has_history,
            "HAS_START": hasattr(self.own, "start"),
            "HAS_MOVES": hasattr(self.own, "moves"),
            "HAS_CELLS": hasattr(self.own, "cells"),
            "HAS_FEATURES": hasattr(self.own, "features"),
            "SUDDEN_WINS": hasattr(self.own, "wins_next"),
            "FORCED_WINS": game.forced_wins,
        }

    @cached_property
    def rules(self) -> ModuleType:
        """The complete rules, uncompiled."""
        module = PythonFile(Path(str(complete.__file__))).run(f"_plain_{id(self)}", complete.__package__)
        vars(module).update(self.constants, own=self.own, uncompiled=self.own, GAME=self.game)
        if not hasattr(self.own, "wins_next"):
            del module.wins_next
        return module

    def part(self, name: str) -> ModuleType | None:
        """The module `name` beside the rules ("recipe", "solver", ...), imported now; None if the game has none."""
        path = self.path.with_name(f"{name}.py")
        if self.path.name != RULES_FILE or not path.exists():
            return self.own if hasattr(self.own, name.upper()) else None
        if self.in_package:
            return importlib.import_module(f"trainer.games.{self.path.parent.name}.{name}")
        return run_file(PythonFile(path), f"{self.path.parent.name}.{name}", dict(self.parameters))
