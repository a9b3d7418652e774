"""Random games played by our rules and by OpenSpiel's at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyspiel

from trainer.games.base import OPEN
from trainer.games.positions import Positions

RESULTS = [[0.0, 0.0], [1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]]
"""What OpenSpiel returns to the two players, by our winner."""


def agree_on_random_games(env_id: str, openspiel: str, cells: Callable[[Any], list[int]], games: int) -> None:
    """Assert the same legal moves, mover and board at each ply, the same end and the same result.

    `openspiel` is its name for the game, with parameters; its actions have our numbers. `cells` reads a board of ours from
    a state of OpenSpiel's.
    """
    theirs = [pyspiel.load_game(openspiel).new_initial_state() for _ in range(games)]
    ours = Positions(env_id, games)
    generator = np.random.default_rng(1)
    playing = np.arange(games)
    while len(playing):
        legal, stored = ours.legal(), ours.stored()
        actions = []
        for game in playing:
            state, may_play = theirs[game], np.flatnonzero(legal[game])
            assert may_play.tolist() == state.legal_actions(), f"after {state.history()}"
            assert stored[game, : ours.game.num_cells].tolist() == cells(state), f"after {state.history()}"
            assert ours.mover[game] == state.current_player() + 1, f"after {state.history()}"
            actions.append(may_play[generator.integers(len(may_play))])
            state.apply_action(actions[-1])
        ours.play(playing, np.array(actions))
        over = ours.winner[playing] != OPEN
        assert over.tolist() == [theirs[game].is_terminal() for game in playing]
        playing = playing[~over]
    assert not ours.legal().any()
    stored = ours.stored()
    for game, state in enumerate(theirs):
        assert state.returns() == RESULTS[int(ours.winner[game])], f"after {state.history()}"
        assert stored[game, : ours.game.num_cells].tolist() == cells(state), f"after {state.history()}"
