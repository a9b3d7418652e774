"""The vocabulary of a game: how programs that speak GTP or UCI call its board, its players and its moves.

A game whose words differ from these has a class ENGINE, derived from Vocabulary, in the file `engine.py` of its folder, or
in its only file.

GTP is the Go Text Protocol, version 2 (Farnebäck 2002). UCI is the Universal Chess Interface, with the option `UCI_Variant`
that engines for several games have.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from trainer.games.base import FIRST, Game, State
from trainer.games.library import find_game
from trainer.games.library.parts import global_of, lines_of
from trainer.games.position import default_name, move_name, row_number

GTP_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
"""There is no I, so that nobody takes it for a 1."""
PASS = "pass"


class Vocabulary:
    """The words of a game that asks for no others."""

    uci_variant: str | None = None
    """The value of `UCI_Variant`; None: the game can't be played through UCI."""

    def __init__(self, game: Game, own: ModuleType) -> None:
        """`own` is the game's module of rules, uncompiled, in which its parameters have their values."""
        self.game = game
        self.own = own

    def gtp_setup(self) -> list[str]:
        """The GTP commands that set up the board."""
        if self.game.width == self.game.height:
            return [f"boardsize {self.game.width}"]
        return [f"rectangular_boardsize {self.game.width} {self.game.height}"]

    def gtp_colour(self, player: int) -> str:
        """`black` or `white`. Black is the first player, unless the game calls the first player White."""
        white_begins = self.game.name_of(FIRST) == "White"
        return "black" if (player == FIRST) != white_begins else "white"

    def gtp_move(self, state: State, action: int) -> str:
        """A move in GTP: D4 or `pass`, counted from the bottom, if actions are cells; else the game's name for it."""
        game = self.game
        on_cells = not game.action_cells and game.num_actions in (game.num_cells, game.num_cells + 1)
        if on_cells and game.width <= len(GTP_COLUMNS):
            row, column = divmod(action, game.width)
            return PASS if action == game.num_cells else f"{GTP_COLUMNS[column]}{row_number(game, row)}"
        return self.name(state, action)

    def uci_move(self, state: State, action: int) -> str:
        """A move in UCI: its cells, as in e2e4."""
        return default_name(self.game, action)

    def name(self, state: State, action: int) -> str:
        """The name that the game gives to a move."""
        return move_name(self.game, self.own, state, action)


def action_named(actions: Mapping[str, int], name: str) -> int | None:
    """The action of that name, in whichever case it is written; None if there is none, or more than one."""
    if name in actions:
        return actions[name]
    found = [action for own, action in actions.items() if own.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def vocabulary_of(env_id: str) -> Vocabulary:
    """The vocabulary of a game. Raises GameError for an unknown game, or if the game has a wrong one."""
    found = find_game(env_id)
    part = found.part("engine")
    if part is None:
        return Vocabulary(found.game, found.own)
    made_by = global_of(
        part, "ENGINE", is_vocabulary, "set it to a class derived from trainer.games.vocabulary.Vocabulary"
    )
    with lines_of(part):
        vocabulary: Vocabulary = made_by(found.game, found.own)
    return vocabulary


def is_vocabulary(found: Any) -> bool:
    """Whether this is a class of vocabularies."""
    return isinstance(found, type) and issubclass(found, Vocabulary)
