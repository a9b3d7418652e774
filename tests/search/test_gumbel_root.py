"""The root of a Gumbel search without noise, on numbers worked out by hand: visits, the move, the policy target."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.evaluators.interface import Evaluate
from trainer.evaluators.uniform import uniform
from trainer.games import game_of, rules_of
from trainer.games.base import Mask
from trainer.games.position import Position
from trainer.search import GumbelResult, Search

PRIOR = np.array([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], np.float32)
VALUES = np.array([-0.5, 0.1, 0.2, 0.3, 0.4, -0.1, -0.2], np.float32)


def evaluator_with(root: float) -> Evaluate:
    """PRIOR in every position; the value is `root` on the empty board, then VALUES for the first move's player, then 0."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        first = observation[:, :42].reshape(-1, 6, 7).any(axis=1)  # columns where the first player has a disc
        stones = observation[:, :84].sum(axis=1)
        value = np.where(stones == 0, root, np.where(stones == 1, -(first @ VALUES), 0)).astype(np.float32)
        prior = np.where(legal, PRIOR, 0)
        return prior / prior.sum(axis=1, keepdims=True), value

    return evaluate


def searched(moves: list[int], simulations: int, evaluate: Evaluate) -> tuple[Search, GumbelResult]:
    """A Gumbel search of Connect 4, without noise, after some moves, and what it found."""
    position = Position.first(rules_of("connect4"))
    for move in moves:
        position = position.play(move)
    search = Search("connect4", 1, simulations)
    return search, search.run_gumbel(position.state[None], simulations, evaluate)


def test_the_better_half_by_prior_and_value_is_visited_further() -> None:
    """16 simulations: seven moves once, the best three of them a second time, the best two of those three times more.

    After one visit ln P + 5.1 Q is -3.5 for column 0, which has the largest prior, and highest for columns 4, 3 and 2.
    Deeper positions have the value 0, so Q of a move is its value divided by its visits. In the end column 2 with 0.2 / 2
    has a larger Q than column 4 with 0.4 / 5 and column 3 with 0.3 / 5. The move is still 4, the better of the two most
    visited moves.
    """
    search, found = searched([], 16, evaluator_with(0.0))
    assert search.root_moves(0).visits.tolist() == [1, 1, 2, 5, 5, 1, 1]
    policy = found.policies[0]
    assert found.actions.tolist() == [4]
    means = VALUES / [1, 1, 2, 5, 5, 1, 1]
    improved = PRIOR * np.exp(5.5 * means)
    assert policy == pytest.approx(improved / improved.sum(), rel=1e-5)
    assert policy.argmax() != found.actions[0]
    assert found.values == pytest.approx([policy @ means], rel=1e-5)


def test_an_unvisited_move_has_the_value_of_playing_by_the_priors() -> None:
    """Four simulations visit the move with the largest prior and three others of the seven.

    The others' value is estimated from the visited ones, weighted by their priors and four visits, and from the root's own.
    """
    search, found = searched([], 4, evaluator_with(0.6))
    visits = search.root_moves(0).visits
    assert (visits.sum(), visits.max(), visits[0]) == (4, 1, 1)
    seen = visits == 1
    mixed = (0.6 + 4 * (PRIOR[seen] @ VALUES[seen]) / PRIOR[seen].sum()) / 5
    assert mixed != pytest.approx((0.6 + VALUES[seen].sum()) / 5, abs=0.05)
    improved = PRIOR * np.exp(5.1 * np.where(seen, VALUES, mixed))
    assert found.policies[0] == pytest.approx(improved / improved.sum(), rel=1e-5)


def test_moves_that_are_proven_lost_drop_out() -> None:
    """The first player has three in a column: six moves lose at once, and all later visits go to the one that blocks."""
    search, found = searched([3, 0, 3, 1, 3], 16, uniform)
    moves = search.root_moves(0)
    assert moves.visits.tolist() == [1, 1, 1, 10, 1, 1, 1]
    assert found.actions.tolist() == [3]
    assert found.policies.tolist() == [[0, 0, 0, 1, 0, 0, 0]]
    assert math.isfinite(moves.values[3])


def test_noise_samples_moves_by_their_priors() -> None:
    """Without simulations the move is that with the largest g + log P, a sample of P (the Gumbel-max trick; equation 2).

    1,000 positions in slots for seven; column 0 has 0.4, the others 0.1 each, within five standard errors.
    """
    search = Search("connect4", 7, 8)
    states = np.repeat(Position.first(rules_of("connect4")).state[None], 1000, axis=0)
    found = search.run_gumbel(states, 0, evaluator_with(0.0), np.random.default_rng(1))
    shares = np.bincount(found.actions, minlength=7) / 1000
    assert shares == pytest.approx(PRIOR, abs=0.08)
    assert found.policies[[0, -1]] == pytest.approx(np.array([PRIOR, PRIOR]))
    again = search.run_gumbel(states, 0, evaluator_with(0.0), np.random.default_rng(1))
    assert (again.actions == found.actions).all()
    assert set(search.run_gumbel(states[:9], 0, evaluator_with(0.0)).actions.tolist()) == {0}


def test_a_finished_position_has_no_policy() -> None:
    """As by `run`: zeros, not NaN."""
    position = Position.first(rules_of("connect4"))
    for move in (3, 0, 3, 0, 3, 0, 3):
        position = position.play(move)
    found = Search("connect4", 1, 8).run_gumbel(position.state[None], 8, uniform)
    assert not found.policies.any()
    assert found.values.tolist() == [0]


def test_what_can_t_be_searched_is_refused() -> None:
    """As by `run`."""
    search = Search("connect4", 1, 8)
    state = Position.first(rules_of("connect4")).state
    with pytest.raises(ValueError, match="9 simulations are more than most_simulations = 8"):
        search.run_gumbel(state[None], 9, uniform)
    with pytest.raises(ValueError, match=r"the states are \(4,\); those of connect4 are \(R, 4\)"):
        search.run_gumbel(state, 8, uniform)


OFFER = '''
"""Player 1 may offer a draw by action 2. Otherwise the players only count to 40 together, which is a draw, too."""

from trainer.games.base import DRAW, FLAGS, MOVER, OPEN, WINNER, Game, Mask, State

GAME = Game(env_id="offer", width=1, height=2, num_actions=3, max_plies=40, features=1, seats=None)


def legal(state: State, mask: Mask) -> None:
    for action in range(3):
        mask[action] = state[WINNER] == OPEN and (action == 0 or state[FLAGS] == 0)


def play(state: State, action: int) -> None:
    if state[FLAGS] == 0:
        state[FLAGS + 1] = action  # else search would take the moves for one
    state[FLAGS] += 1
    if action == 2 or state[FLAGS] == 40:
        state[WINNER] = DRAW
    else:
        state[MOVER] = 3 - int(state[MOVER])


def features(state: State, out) -> None:
    out[:] = 0
    out[4] = state[FLAGS] > 4
'''


def test_a_draw_that_is_certain_is_played_if_the_most_visited_moves_lose(tmp_path: Path) -> None:
    """Two moves look like +0.5 for four plies, and like -0.9 after them; the draw drops out when they look good.

    They have ten visits each in the end, with a mean of (4 * 0.5 - 6 * 0.9) / 10. The policy target says to play the draw,
    and so does the move.
    """
    (tmp_path / "offer.py").write_text(OFFER)
    env_id = game_of(str(tmp_path / "offer.py")).env_id

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        of_first = np.where(observation[:, 4] == 1, -0.9, 0.5)  # two planes of two cells, then the feature
        value = of_first * np.where(observation[:, -2] == 1, 1, -1)
        prior = np.where(legal & (np.arange(3) == 2), 0.2, legal)
        return prior / prior.sum(axis=1, keepdims=True), value.astype(np.float32)

    search = Search(env_id, 1, 24)
    found = search.run_gumbel(Position.first(rules_of(env_id)).state[None], 24, evaluate)
    moves = search.root_moves(0)
    assert (moves.visits.tolist(), moves.values.tolist()) == ([10, 10, 4], pytest.approx([-0.34, -0.34, 0]))
    assert found.policies[0].argmax() == 2
    assert found.actions.tolist() == [2]
