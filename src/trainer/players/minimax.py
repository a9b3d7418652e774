"""The minimax player: it looks a few plies ahead and then asks the game's heuristic. A baseline that needs no model.

A game's heuristic is a kernel module, `heuristic.py` in its folder. It can bind the module of the game's rules as `own`. It
has

    DEPTH         how many plies the player looks ahead by default
    value(state)  the value of an unfinished position for the player to move, an integer much smaller than `alphabeta.WIN`
    ORDER         if it is given, int64 [A], all actions, those first that are usually good: pruning then works better, and
                  among equally good moves the first is played. By default from the middle of the board outwards if each
                  action is a cell, otherwise by number
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.compile.linker import Linked
from trainer.core.errors import GameError
from trainer.games import game_of, games_with, part_of
from trainer.games.base import Game
from trainer.games.kernels import link_kernels
from trainer.games.library.parts import global_of
from trainer.games.positions import Positions
from trainer.players import alphabeta
from trainer.players.base import Played


class MinimaxPlayer:
    """Alpha-beta search to a fixed depth. It always answers a position by the same move."""

    def __init__(self, env_id: str, depth: int | None = None) -> None:
        """`depth` in plies, at least 1; None: the heuristic's default.

        Raises GameError if the game has no heuristic, or if that lacks something.
        """
        heuristic = part_of(env_id, "heuristic")
        if heuristic is None:
            raise GameError(f"minimax has no heuristic for {env_id}; it plays {', '.join(games_with('heuristic'))}")
        self.depth: int = depth or global_of(heuristic, "DEPTH", is_depth, "set it to a number of plies, at least 1")
        self._order = order_of(game_of(env_id), heuristic)
        global_of(heuristic, "value", callable, "define value(state) there")
        self.name = f"Minimax({self.depth} plies)"
        self._states = Positions(env_id, 1).states
        self._kernels = link_kernels(env_id, alphabeta, heuristic=heuristic, warm_up=self._warm_up).alphabeta

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The best move as seen from the horizon; among equally good ones the first in the order."""
        actions = np.zeros(len(positions.states), np.int64)
        self._kernels.choose_all(positions.states, self.depth, self._order, actions)
        return actions

    def _warm_up(self, linked: Linked) -> None:
        """Call the kernel once."""
        linked.alphabeta.choose_all(self._states, 1, self._order, np.zeros(1, np.int64))


def order_of(game: Game, heuristic: ModuleType) -> NDArray[np.int64]:
    """All actions [A] in the order in which they are tried. Raises GameError if the heuristic's ORDER isn't one."""
    actions = game.num_actions
    if hasattr(heuristic, "ORDER"):
        advice = f"set it to an int64 array of all actions, 0 to {actions - 1}, those first that are usually good"
        return np.array(global_of(heuristic, "ORDER", lambda found: is_order(found, actions), advice), np.int64)
    if actions != game.num_cells:
        return np.arange(actions)
    row, column = np.divmod(np.arange(actions), game.width)
    from_the_middle = (2 * row - game.height + 1) ** 2 + (2 * column - game.width + 1) ** 2
    return np.argsort(from_the_middle, kind="stable")


def is_depth(found: Any) -> bool:
    """Whether this is a number of plies."""
    return isinstance(found, int | np.integer) and int(found) >= 1


def is_order(found: Any, actions: int) -> bool:
    """Whether this has each action once. The kernel reads it without a check."""
    return isinstance(found, np.ndarray | tuple) and np.array_equal(np.sort(found), np.arange(actions))
