"""OpenSpiel as a second opinion: random games of each game, ply by ply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from side_by_side import agree_on_random_games


@dataclass(frozen=True)
class SecondOpinion:
    """OpenSpiel's name for a game, and how it draws the board."""

    name: str
    rows: slice
    """The lines of the drawing that hold the board."""
    columns: slice
    """The characters of such a line that are cells."""

    def cells(self, state: Any) -> list[int]:
        """The board in our order of cells: 0 empty, 1 first player's, 2 second player's."""
        lines = str(state).splitlines()[self.rows]
        return ["-xo".index(cell) for line in lines for cell in line.replace(".", "-")[self.columns]]


SECOND_OPINIONS = {
    "tictactoe": SecondOpinion("tic_tac_toe", slice(0, 3), slice(None)),
    "connect4": SecondOpinion("connect_four", slice(5, None, -1), slice(None)),  # it draws the top row first
    "othello": SecondOpinion("othello", slice(2, 10), slice(2, 17, 2)),
}


@pytest.mark.parametrize("games", [200, 1_000])
@pytest.mark.parametrize("env_id", SECOND_OPINIONS)
def test_openspiel_agrees_on_random_games(env_id: str, games: int) -> None:
    """The same legal moves, mover and board at each ply, the same end and the same result."""
    opinion = SECOND_OPINIONS[env_id]
    agree_on_random_games(env_id, opinion.name, opinion.cells, games)
