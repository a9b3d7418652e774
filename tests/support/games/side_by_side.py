"""Random games played by our rules and by OpenSpiel's at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyspiel

from trainer.games.base import OPEN
from trainer.games.positions import Positions

RESULTS = [[0.0, 0.0], [1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]]
"""What OpenSpiel returns to the two players, by our winner."""


def agree_on_random_games(
    env_id: str,
    openspiel: str,
    cells: Callable[[Any], list[int]],
    games: int,
    our_number: Callable[[str], int] | None = None,
) -> None:
    """Assert the same legal moves, mover and board at each ply, the same end and the same result.

    `openspiel` is its name for the game, with parameters. `cells` reads a board of ours from a state of OpenSpiel's.
    `our_number` gives our number of an action by OpenSpiel's name for it, as a move of the first player; None: OpenSpiel's
    actions have our numbers.
    """
    theirs = [pyspiel.load_game(openspiel).new_initial_state() for _ in range(games)]
    ours = Positions(env_id, games)

    @cache
    def number_of(action: int) -> int:
        """Our number of OpenSpiel's action."""
        return our_number(theirs[0].action_to_string(0, action)) if our_number else action

    generator = np.random.default_rng(1)
    playing = np.arange(games)
    while len(playing):
        legal, stored = ours.legal(), ours.stored()
        actions = []
        for game in playing:
            state, may_play = theirs[game], np.flatnonzero(legal[game])
            their_numbers = {number_of(action): action for action in state.legal_actions()}
            assert may_play.tolist() == sorted(their_numbers), f"after {state.history()}"
            assert stored[game, : ours.game.num_cells].tolist() == cells(state), f"after {state.history()}"
            assert ours.mover[game] == state.current_player() + 1, f"after {state.history()}"
            actions.append(int(may_play[generator.integers(len(may_play))]))
            state.apply_action(their_numbers[actions[-1]])
        ours.play(playing, np.array(actions))
        over = ours.winner[playing] != OPEN
        assert over.tolist() == [theirs[game].is_terminal() for game in playing]
        playing = playing[~over]
    assert not ours.legal().any()
    stored = ours.stored()
    for game, state in enumerate(theirs):
        assert state.returns() == RESULTS[int(ours.winner[game])], f"after {state.history()}"
        assert stored[game, : ours.game.num_cells].tolist() == cells(state), f"after {state.history()}"
