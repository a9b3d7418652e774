"""OpenSpiel as a second opinion: 1,000 random games of each game, ply by ply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyspiel
import pytest

from trainer.games.base import OPEN
from trainer.games.positions import Positions

GAMES = 1_000


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


@pytest.mark.parametrize("env_id", SECOND_OPINIONS)
def test_openspiel_agrees_on_random_games(env_id: str) -> None:
    """The same legal moves, mover and board at each ply, the same end and the same result."""
    opinion = SECOND_OPINIONS[env_id]
    theirs = [pyspiel.load_game(opinion.name).new_initial_state() for _ in range(GAMES)]
    ours = Positions(env_id, GAMES)
    generator = np.random.default_rng(1)
    playing = np.arange(GAMES)
    while len(playing):
        legal, stored = ours.legal(), ours.stored()
        actions = []
        for game in playing:
            state = theirs[game]
            may_play = np.flatnonzero(legal[game])
            assert may_play.tolist() == state.legal_actions(), f"after {state.history()}"
            assert stored[game, : ours.game.num_cells].tolist() == opinion.cells(state), f"after {state.history()}"
            assert ours.mover[game] == state.current_player() + 1, f"after {state.history()}"
            actions.append(may_play[generator.integers(len(may_play))])
            state.apply_action(actions[-1])
        ours.play(playing, np.array(actions))
        over = ours.winner[playing] != OPEN
        assert over.tolist() == [theirs[game].is_terminal() for game in playing]
        playing = playing[~over]
    stored = ours.stored()
    results = [[0.0, 0.0], [1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]]
    for game, state in enumerate(theirs):
        assert state.returns() == results[int(ours.winner[game])], f"after {state.history()}"
        assert stored[game, : ours.game.num_cells].tolist() == opinion.cells(state), f"after {state.history()}"
