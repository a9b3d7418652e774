"""Search, against numbers worked out by hand and against exact minimax."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import bonsai
import numpy as np
import pytest
from bonsai import ABSENT, AGAIN, KIND
from kinds import KINDS, every_kind
from lines_of_play import play_line, some_positions
from numpy.typing import NDArray
from predictable import arbitrary
from registering import registered

from trainer.core.errors import ConfigError
from trainer.evaluators.interface import Evaluate
from trainer.evaluators.uniform import uniform
from trainer.games import game_of, rules_of
from trainer.games.base import DRAW, FIRST, MOVER, OPEN, SECOND, Mask, State
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.search import Search, SearchConfig

BY_HAND = SearchConfig(c_puct=1.0, fpu_reduction=0.0, noise_fraction=0.0)


@pytest.fixture
def known_bonsai() -> None:
    """The little game of `tests/support/games/bonsai.py` is known to this process."""
    registered(bonsai)


def tree(kinds: dict[int, int], mover: int = 1) -> State:
    """The root of a bonsai whose nodes are open except for `kinds`, uint64 [1, S]."""
    state = Position.first(bonsai).state
    state[MOVER] = mover
    for node, kind in kinds.items():
        state[KIND + node] = kind
    return state[None]


def written(values: dict[int, float], first_action: dict[int, float] | None = None) -> Evaluate:
    """An evaluator that looks up a bonsai's node: its value for the mover (default 0), the first action's prior (0.5)."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        nodes = observation[:, : bonsai.NODES].argmax(axis=1)
        first = np.array([(first_action or {}).get(int(node), 0.5) for node in nodes])
        prior = np.where(legal, np.stack([first, 1 - first], axis=1), 0)
        prior /= np.maximum(prior.sum(axis=1, keepdims=True), 1e-9)
        return prior.astype(np.float32), np.array([values.get(int(node), 0) for node in nodes], np.float32)

    return evaluate


def after(env_id: str, actions: list[int]) -> State:
    """The position that actions lead to, uint64 [1, S]."""
    return play_line(rules_of(env_id), actions).positions[-1].state[None]


# --- PUCT, worked out by hand ---

# c = 1, no first-play urgency. Root: prior 3/4 and 1/4, value 0. Values are the mover's at each node: the second player
# moves at 1 and 2, the first at 3, 5 and 6. All sums below are the first player's; U = P sqrt(N) / (1 + n).
#
#   N at root   score of action 0           score of action 1            leaf, its value   root's mean
#   1           0      + 3/4 * 1            0     + 1/4 * 1              1   -0.5          -0.5 / 2 = -0.25
#   2          -0.5    + 3/4 * 1.414 / 2   -0.25  + 1/4 * 1.414          2   +0.2          -0.3 / 3 = -0.1
#              = 0.030                     = 0.104 (the root's mean stands in for the unvisited)
#   3          -0.5    + 3/4 * 1.732 / 2    0.2   + 1/4 * 1.732 / 2      5   +0.6           0.3 / 4 = 0.075
#              = 0.150                     = 0.417; at 2 both scores are equal, the first is taken
#   4          -0.5    + 3/4 * 2 / 2        0.4   + 1/4 * 2 / 3          6   -0.8          -0.5 / 5 = -0.1
#              = 0.25                      = 0.567; at 2 for its mover, 5: -0.6 + 0.354 = -0.246, 6: -0.4 + 0.707
#   5          -0.5    + 3/4 * 2.236 / 2    0.0   + 1/4 * 2.236 / 4      3   +0.1          -0.4 / 6 = -0.067
#              = 0.339                     = 0.140
WORKED_OUT = [
    (1, [1, 0], -0.25),
    (2, [1, 1], -0.1),
    (3, [1, 2], 0.075),
    (4, [1, 3], -0.1),
    (5, [2, 3], -0.4 / 6),
]
VALUES = {1: 0.5, 2: -0.2, 3: 0.1, 5: 0.6, 6: -0.8}


@pytest.mark.usefixtures("known_bonsai")
@pytest.mark.parametrize(("simulations", "visits", "value"), WORKED_OUT)
@pytest.mark.parametrize("mover", [1, 2])
def test_visits_and_value_are_those_worked_out_by_hand(
    simulations: int, visits: list[int], value: float, mover: int
) -> None:
    """PUCT and the backed-up values, move by move. Values are the mover's, so they don't depend on who moves first."""
    search = Search("bonsai", 1, 5, BY_HAND)
    shares, values = search.run(tree({}, mover), simulations, written(VALUES, {0: 0.75}))
    assert (shares[0] * simulations).round(4).tolist() == visits
    assert values[0] == pytest.approx(value, abs=1e-6)


@pytest.mark.usefixtures("known_bonsai")
@pytest.mark.parametrize(("reduction", "visits"), [(0.0, [1, 1]), (0.25, [2, 0])])
def test_first_play_urgency_makes_an_unvisited_move_look_worse(reduction: float, visits: list[int]) -> None:
    """In the second simulation -0.25 + 0.354 = 0.104 beats 0.030; reduced by 0.25 sqrt(3/4) it is -0.113 and doesn't."""
    search = Search("bonsai", 1, 2, SearchConfig(c_puct=1.0, fpu_reduction=reduction))
    shares, _ = search.run(tree({}), 2, written(VALUES, {0: 0.75}))
    assert (shares[0] * 2).tolist() == visits


@pytest.mark.usefixtures("known_bonsai")
def test_values_keep_their_sign_when_a_player_moves_twice() -> None:
    """At node 1 the first player moves again, so what is good there is good at the root: (0 + 0.5) / 2."""
    _, values = Search("bonsai", 1, 1, BY_HAND).run(tree({1: AGAIN}), 1, written({1: 0.5}))
    assert values[0] == 0.25


@pytest.mark.usefixtures("known_bonsai")
def test_the_prior_alone_decides_the_first_simulation() -> None:
    """With equal values the move with the larger prior comes first."""
    shares, _ = Search("bonsai", 1, 1, BY_HAND).run(tree({}), 1, written({}, {0: 0.25}))
    assert shares[0].tolist() == [0, 1]


# --- Proven positions (MCTS-Solver) ---

LIES = dict.fromkeys(range(bonsai.NODES), 0.9)
PROVEN = {
    "win in one": ({1: FIRST}, [1, 0], 1),
    "win in one, by the other action": ({2: FIRST}, [0, 1], 1),
    "both moves lose": ({1: SECOND, 2: SECOND}, None, -1),
    "the only move loses": ({1: SECOND, 2: ABSENT}, [1, 0], -1),
    "one move draws, the other loses": ({1: SECOND, 2: DRAW}, [0, 1], 0),
    "the opponent wins after either move": ({3: SECOND, 6: SECOND}, None, -1),
    "the opponent's only reply loses": ({3: FIRST, 4: ABSENT}, [1, 0], 1),
    "both of the opponent's replies lose": ({5: FIRST, 6: FIRST}, [0, 1], 1),
    "the opponent prefers a draw to a loss": ({1: SECOND, 5: FIRST, 6: DRAW}, [0, 1], 0),
    "a win in three plies": ({3: FIRST, 9: FIRST}, [1, 0], 1),
    "a win by moving twice": ({1: AGAIN, 4: FIRST}, [1, 0], 1),
    "after moving twice it is lost all the same": ({1: AGAIN, 3: SECOND, 4: SECOND, 2: SECOND}, None, -1),
}


@pytest.mark.usefixtures("known_bonsai")
@pytest.mark.parametrize(("kinds", "shares", "value"), PROVEN.values(), ids=PROVEN)
@pytest.mark.parametrize("mover", [1, 2])
def test_a_proof_overrides_the_evaluator(
    kinds: dict[int, int], shares: list[float] | None, value: int, mover: int
) -> None:
    """A proven win gets all visits and +1. A proven loss gets -1, and no visits if there is another move."""
    if mover == 2:
        kinds = {node: {FIRST: SECOND, SECOND: FIRST}.get(kind, kind) for node, kind in kinds.items()}
    visits, values = Search("bonsai", 1, 100).run(tree(kinds, mover), 100, written(LIES))
    assert values[0] == value
    assert visits[0].sum() == pytest.approx(1)
    if shares is not None:
        assert visits[0].tolist() == shares


@pytest.mark.usefixtures("known_bonsai")
def test_a_search_ends_when_its_root_is_proven() -> None:
    """The root's own evaluation and one simulation find the win; the other 99 are not done."""
    search = Search("bonsai", 1, 100)
    search.run(tree({1: FIRST}), 100, uniform)
    assert search.simulations_done == 2


def test_more_simulations_than_there_is_memory_for_are_refused() -> None:
    """The trees are allocated once; compiled code would silently write beyond them."""
    with pytest.raises(ValueError, match="11 simulations are more than most_simulations = 10"):
        Search("tictactoe", 1, 10).run(after("tictactoe", []), 11, uniform)


@pytest.mark.parametrize("env_id", [env_id for env_id in KINDS if env_id != "go:size=4"])  # two passes end Go at once
def test_all_simulations_are_used_if_nothing_is_proven(env_id: str) -> None:
    """In the first position of a game: 60 simulations make 60 visits, after the root's own evaluation."""
    search = Search(env_id, 1, 60)
    visits, values = search.run(Position.first(rules_of(env_id)).state[None], 60, arbitrary)
    assert search.simulations_done == 61
    np.testing.assert_allclose(visits * 60, (visits * 60).round(), atol=1e-4)
    assert visits.sum() == pytest.approx(1)
    assert -1 < values[0] < 1


# --- The principal variation ---


@pytest.mark.usefixtures("known_bonsai")
@pytest.mark.parametrize(("simulations", "line"), [(0, [0]), (1, [0]), (2, [0]), (3, [1, 0]), (5, [1, 0])])
@pytest.mark.parametrize("mover", [1, 2])
def test_the_principal_variation_follows_the_visits(simulations: int, line: list[int], mover: int) -> None:
    """As worked out above; of equal visits those of the smaller action. Without any it is the larger prior."""
    search = Search("bonsai", 2, 5, BY_HAND)
    search.run(tree({}, mover), simulations, written(VALUES, {0: 0.75}))
    assert search.principal_variation(0) == line
    assert search.principal_variation(0, most=1) == line[:1]
    assert search.principal_variation(1) == []  # nothing was searched there


@pytest.mark.usefixtures("known_bonsai")
def test_in_the_principal_variation_each_player_wants_to_win() -> None:
    """The first player prefers action 1, the second player answers 6, which is bad for the first, and not 5."""
    search = Search("bonsai", 1, 12, BY_HAND)
    search.run(tree({}), 12, written({1: 0.9, 5: 0.9, 6: -0.2, 13: -0.9}))
    assert search.principal_variation(0)[:3] == [1, 1, 0]


PROVEN_LINES = {
    "win in one": ({1: FIRST}, [0]),
    "win in one, by the other action": ({2: FIRST}, [1]),
    "both moves lose": ({1: SECOND, 2: SECOND}, [0]),
    "one move draws, the other loses": ({1: SECOND, 2: DRAW}, [1]),
    "the opponent's only reply loses": ({3: FIRST, 4: ABSENT}, [0, 0]),
    "the opponent prefers a draw to a loss": ({1: SECOND, 5: FIRST, 6: DRAW}, [1, 1]),
    "a win in three plies, one if the opponent errs": ({3: FIRST, 9: FIRST}, [0, 1, 0]),
    "a win by moving twice": ({1: AGAIN, 4: FIRST}, [0, 1]),
}


@pytest.mark.usefixtures("known_bonsai")
@pytest.mark.parametrize(("kinds", "line"), PROVEN_LINES.values(), ids=PROVEN_LINES)
@pytest.mark.parametrize("mover", [1, 2])
def test_the_principal_variation_of_what_is_proven(kinds: dict[int, int], line: list[int], mover: int) -> None:
    """A win is made, a loss avoided, and what can't be avoided put off. The line ends with the game."""
    if mover == 2:
        kinds = {node: {FIRST: SECOND, SECOND: FIRST}.get(kind, kind) for node, kind in kinds.items()}
    search = Search("bonsai", 1, 100)
    search.run(tree(kinds, mover), 100, written(LIES))
    assert search.principal_variation(0) == line


@pytest.mark.usefixtures("known_bonsai")
def test_the_principal_variation_begins_with_a_move_that_may_be_unvisited() -> None:
    """Only the losing move was visited, so the other one is played; nothing is known of what comes after it."""
    search = Search("bonsai", 1, 1)
    shares, _ = search.run(tree({1: SECOND}), 1, written({}, {0: 0.75}))
    assert shares[0].tolist() == [0, 1]
    assert search.principal_variation(0) == [1]


@every_kind
def test_a_principal_variation_begins_with_the_best_move_and_can_be_played(env_id: str) -> None:
    """In every slot, also where a player moves twice or must pass."""
    states, rules = some_positions(env_id, 20), rules_of(env_id)
    search = Search(env_id, 20, 50)
    for simulations in (0, 50):
        shares, _ = search.run(states, simulations, arbitrary)
        for slot, state in enumerate(states):
            line = search.principal_variation(slot)
            assert line[0] == shares[slot].argmax()
            assert len(line) <= max(1, simulations)
            position = Position(rules, state)
            for action in line:
                position = position.play(action)


# --- The games ---

WINS_IN_ONE = {
    "tictactoe, X completes the top row": ("tictactoe", [0, 3, 1, 4], 2),
    "tictactoe, O completes the middle row": ("tictactoe", [0, 3, 1, 4, 8], 5),
    "connect4, up column 0": ("connect4", [0, 6, 0, 6, 0, 5], 0),
    "connect4, Yellow up column 6": ("connect4", [0, 6, 0, 6, 1, 6, 1], 6),
    "connect4, along the bottom": ("connect4", [1, 1, 2, 2, 3, 6, 5, 0], 4),
    "othello, black takes the last white discs": ("othello", [26, 18, 44, 43, 42, 34, 10, 29], 30),
}


@pytest.mark.parametrize(("env_id", "actions", "win"), WINS_IN_ONE.values(), ids=WINS_IN_ONE)
def test_a_win_in_one_is_found(env_id: str, actions: list[int], win: int) -> None:
    """It gets all visits, and the position is worth +1 to the mover."""
    visits, values = Search(env_id, 1, 100).run(after(env_id, actions), 100, uniform)
    assert visits[0, win] == 1
    assert values[0] == 1


def test_a_win_in_one_is_found_among_more_moves_than_simulations() -> None:
    """X has four in a row, open at both ends, and 217 moves: both kinds of search play it, and are sure."""
    moves, wins = [112, 200, 113, 202, 114, 204, 115, 206], {111, 116}
    state = after("mnk:width=15,height=15,line=5", moves)
    search = Search("mnk:width=15,height=15,line=5", 1, 16)
    shares, values = search.run(state, 16, uniform)
    found = search.run_gumbel(state, 16, uniform)
    for policy, value in ((shares[0], values[0]), (found.policies[0], found.values[0])):
        assert set(np.flatnonzero(policy).tolist()) <= wins
        assert policy.sum() == value == 1
    assert int(found.actions[0]) in wins


def test_of_several_wins_in_one_the_likeliest_is_played() -> None:
    """Yellow could fill the fourth place at either end of Red's row; Red's prior prefers column 5 to column 1."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return np.tile(np.array([1, 1, 1, 1, 1, 2, 1], np.float32) / 8, (len(legal), 1)), np.zeros(
            len(legal), np.float32
        )

    shares, _ = Search("connect4", 1, 20).run(after("connect4", [2, 2, 3, 3, 4, 4]), 20, evaluate)
    assert shares[0].tolist() == [0, 0, 0, 0, 0, 1, 0]


BLOCKS_IN_ONE = {
    "tictactoe, O threatens the middle column": ("tictactoe", [0, 4, 8, 1], 7),
    "tictactoe, X threatens the top row": ("tictactoe", [0, 4, 1], 2),
    "connect4, Yellow threatens column 6": ("connect4", [0, 6, 1, 6, 4, 6], 6),
    "connect4, Red threatens the bottom row": ("connect4", [1, 1, 2, 2, 3, 0], 4),
}


@pytest.mark.parametrize(("env_id", "actions", "block"), BLOCKS_IN_ONE.values(), ids=BLOCKS_IN_ONE)
def test_a_block_in_one_is_found(env_id: str, actions: list[int], block: int) -> None:
    """Every other move is proven to lose and gets nothing."""
    visits, _ = Search(env_id, 1, 400).run(after(env_id, actions), 400, uniform)
    assert visits[0, block] == 1


def test_an_othello_move_that_loses_all_discs_is_avoided() -> None:
    """White's 29 lets black take every disc at once; search sees it and plays elsewhere."""
    visits, values = Search("othello", 1, 400).run(after("othello", [26, 18, 44, 43, 42, 34, 10]), 400, uniform)
    assert visits[0, 29] == 0
    assert values[0] > -1


LOST = {
    "tictactoe, X threatens two lines": ("tictactoe", [0, 1, 4, 8, 3]),
    "connect4, Yellow has three in a row, open on both sides": ("connect4", [0, 2, 0, 3, 6, 4]),
    "connect4, Red has three in a row, open on both sides": ("connect4", [2, 2, 3, 3, 4]),
}


@pytest.mark.parametrize(("env_id", "actions"), LOST.values(), ids=LOST)
def test_a_position_that_cannot_be_saved_is_worth_minus_one(env_id: str, actions: list[int]) -> None:
    """For the mover; the moves still share the visits. One ply before, it is worth +1 for the other player."""
    search = Search(env_id, 1, 1000)
    visits, values = search.run(after(env_id, actions), 1000, uniform)
    assert values[0] == -1
    assert visits.sum() == pytest.approx(1)
    _, values = search.run(after(env_id, actions[:-1]), 1000, uniform)
    assert values[0] == 1


@pytest.mark.parametrize("env_id", [env_id for env_id in KINDS if not hasattr(rules_of(env_id).own, "features")])
def test_evaluators_see_observations_of_the_contract(env_id: str) -> None:
    """Every leaf is an observation of the replay contract, and `legal` is what may be played there."""
    game = game_of(env_id)
    seen = 0

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        nonlocal seen
        seen += 1
        first, second = observation[0, : 2 * game.num_cells].reshape(2, -1)
        cells = (first + 2 * second).astype(np.uint8)
        header = [1 if observation[0, -2] else 2, OPEN, *[0] * game.flag_words]
        leaf = Position.from_bytes(rules_of(env_id), cells.tobytes() + bytes(header))
        assert np.flatnonzero(legal[0]).tolist() == leaf.legal
        np.testing.assert_array_equal(observation[0], leaf.observation)
        return uniform(observation, legal)

    search = Search(env_id, 1, 20)
    for state in some_positions(env_id, 5):
        search.run(state[None], 20, evaluate)
    assert seen > 50


@every_kind
def test_positions_are_searched_independently(env_id: str) -> None:
    """Alone, all at once, in parts or in another order: a position gets the same visits and value to the last bit."""
    states = some_positions(env_id, 20)
    order = np.random.default_rng(4).permutation(len(states))
    visits, values = Search(env_id, 20, 50).run(states, 50, arbitrary)
    one_at_a_time, in_parts, larger = Search(env_id, 1, 50), Search(env_id, 7, 50), Search(env_id, 32, 80)
    for search, rows in ((one_at_a_time, order), (in_parts, order), (larger, order[:11]), (in_parts, order[::-1])):
        other_visits, other_values = search.run(states[rows], 50, arbitrary)
        np.testing.assert_array_equal(other_visits, visits[rows])
        np.testing.assert_array_equal(other_values, values[rows])


@every_kind
def test_visits_are_for_legal_moves_only(env_id: str) -> None:
    """Even if few moves are legal, and whatever happens in the neighbouring rows."""
    states = some_positions(env_id, 40)
    visits, values = Search(env_id, 40, 30).run(states, 30, arbitrary)
    legal = Positions(env_id, 0).of(states).legal()
    assert not visits[~legal].any()
    np.testing.assert_allclose(visits.sum(axis=1), 1, rtol=1e-5)
    assert (np.abs(values) <= 1).all()


def priors(search: Search) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]]:
    """For each node of slot 0 with edges: its index, the actions in order, their priors, and those of `arbitrary`."""
    positions, tree = Positions("tictactoe", 0), search.tree
    for index, node in enumerate(tree.nodes[0, : tree.used_nodes[0]]):
        if node["num_edges"] > 0:
            edges = slice(node["first_edge"], node["first_edge"] + node["num_edges"])
            order = np.argsort(tree.edges[0, edges]["action"])
            moves = tree.edges[0, edges][order]
            prior = moves["u"] * (1 + moves["visits"])
            here = positions.of(tree.states[0, index][None])
            yield index, moves["action"], prior, arbitrary(here.observation(), here.legal())[0][0, moves["action"]]


def test_noise_changes_the_priors_of_the_root_only() -> None:
    """Three quarters prior and one quarter of the noise's share over the legal moves. Deeper priors don't change."""
    search = Search("tictactoe", 1, 40, SearchConfig(noise_fraction=0.25))
    search.kernels.tree.begin_all(search.tree, after("tictactoe", [4, 0]), 40, False)
    search.tree.noise[0] = [100, 1, 2, 3, 100, 4, 0, 0, 6]  # cells 0 and 4 are taken; the others have 16 in all
    while search.step(arbitrary):
        pass
    found = list(priors(search))
    assert len(found) > 10
    for index, actions, prior, expected in found:
        if index == 0:
            assert actions.tolist() == [1, 2, 3, 5, 6, 7, 8]
            expected = 0.75 * expected + 0.25 * np.array([1, 2, 3, 4, 0, 0, 6], np.float32) / 16
        np.testing.assert_allclose(prior, expected, rtol=1e-5)


def test_a_small_policy_temperature_makes_the_largest_prior_everything() -> None:
    """0.3 to the power of 100 is too small for a float32; the first simulation still takes that move."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        prior = np.array([0.1, 0.1, 0.1, 0.3, 0.1, 0.1, 0.2], np.float32)
        return np.tile(prior, (len(legal), 1)), np.zeros(len(legal), np.float32)

    search = Search("connect4", 1, 1, SearchConfig(policy_temperature=0.01))
    shares, _ = search.run(after("connect4", []), 1, evaluate)
    assert shares[0].argmax() == 3


def test_a_policy_temperature_softens_the_priors_of_every_node() -> None:
    """Each is raised to the power of 1 / temperature (2 is the square root), and they sum to 1 again."""
    search = Search("tictactoe", 1, 40, SearchConfig(policy_temperature=2.0))
    search.run(after("tictactoe", [4, 0]), 40, arbitrary)
    found = list(priors(search))
    assert len(found) > 10
    for _, _, prior, expected in found:
        np.testing.assert_allclose(prior, np.sqrt(expected) / np.sqrt(expected).sum(), rtol=1e-5)


# --- Tic-tac-toe, solved ---


@cache
def minimax(stored: bytes) -> int:
    """The exact value of a tic-tac-toe position for its mover; of a finished one for the player who moved last."""
    position = Position.from_bytes(rules_of("tictactoe"), stored)
    if position.winner != OPEN:
        return 0 if position.winner == DRAW else 1
    return max(value_of_move(position, action) for action in position.legal)


def value_of_move(position: Position, action: int) -> int:
    """The exact value of a move for the player who makes it."""
    then = position.play(action)
    return minimax(then.to_bytes()) * (1 if then.winner != OPEN else -1)


def most_visited_values(positions: list[Position], visits: NDArray[np.float32]) -> list[int]:
    """The exact value of the move that search prefers, in each of the positions."""
    preferred = visits.argmax(axis=1)
    return [value_of_move(position, int(action)) for position, action in zip(positions, preferred, strict=True)]


@cache
def unfinished() -> list[Position]:
    """All 4,520 unfinished positions of tic-tac-toe."""
    first = Position.first(rules_of("tictactoe"))
    found, new = {first.to_bytes(): first}, [first]
    while new:
        children = [position.play(action) for position in new for action in position.legal]
        new = list({child.to_bytes(): child for child in children if child.winner == OPEN}.values())
        found |= {position.to_bytes(): position for position in new}
    return list(found.values())


def test_search_finds_what_minimax_finds() -> None:
    """3,000 simulations from each of the 4,520 positions, with an evaluator that knows only the rules.

    Every won or lost position gets its exact value, and so does every draw from the fourth ply on. The values of the other
    draws are close to 0. The most visited move always keeps the exact value.
    """
    positions = unfinished()
    exact = np.array([minimax(position.to_bytes()) for position in positions])
    late = np.array([(position.cells > 0).sum() >= 4 for position in positions])
    visits, values = Search("tictactoe", 512, 3000).run(
        np.array([position.state for position in positions]), 3000, uniform
    )
    np.testing.assert_array_equal(values[(exact != 0) | late], exact[(exact != 0) | late])
    assert np.abs(values[exact == 0]).max() < 0.15
    assert most_visited_values(positions, visits) == exact.tolist()


def test_search_with_a_perfect_evaluator_plays_perfectly() -> None:
    """In all 4,520 positions the most visited move keeps the exact value, after only 50 simulations."""
    positions = unfinished()
    powers = 3 ** np.arange(9)
    table = np.zeros(3**9, np.float32)
    for position in positions:
        table[position.cells @ powers] = minimax(position.to_bytes())

    def perfect(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        cells = observation[:, :9] + 2 * observation[:, 9:18]
        return uniform(observation, legal)[0], table[(cells @ powers).astype(int)]

    states = np.array([position.state for position in positions])
    visits, values = Search("tictactoe", 512, 50).run(states, 50, perfect)
    exact = np.array([minimax(position.to_bytes()) for position in positions])
    assert most_visited_values(positions, visits) == exact.tolist()
    np.testing.assert_array_equal(np.sign(values[exact != 0]), exact[exact != 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"c_puct": -1.0}, "--c-puct is -1.0; 0 or more is needed"),
        ({"considered": 0}, "--considered is 0; at least 1 is needed"),
        ({"policy_temperature": 0.0}, "--policy-temperature is 0.0; a number above 0 is needed"),
        ({"cache": -1}, "--cache is -1; give a number of entries from 0 to"),
    ],
)
def test_settings_that_can_not_work_are_refused(settings: dict[str, Any], message: str) -> None:
    """Also in Python, where no command has checked them."""
    with pytest.raises(ConfigError, match=message):
        Search("tictactoe", 1, 10, SearchConfig(**settings))


def test_positions_of_another_game_are_refused() -> None:
    """Compiled code would write beyond the trees."""
    with pytest.raises(ValueError, match=r"the states are \(1, 84\); those of connect4 are \(R, 4\)"):
        Search("connect4", 1, 10).run(np.zeros((1, 84), np.uint64), 10, uniform)
    with pytest.raises(ValueError, match=r"the states are \(4,\)"):
        Search("connect4", 1, 10).run(Positions("connect4", 1).states[0], 10, uniform)


@pytest.mark.parametrize("part", [0, 1], ids=["prior", "value"])
def test_an_answer_for_fewer_positions_is_refused(part: int) -> None:
    """As of an evaluator that drops the last rows of a batch; compiled code would read beyond it."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        answer = list(uniform(observation, legal))
        answer[part] = answer[part][:-1]
        return answer[0], answer[1]

    with pytest.raises(ValueError, match=r"for 1 positions; search needs \(1, 9\) and \(1,\)"):
        Search("tictactoe", 1, 10).run(after("tictactoe", [4]), 10, evaluate)


@pytest.mark.parametrize("part", [0, 1], ids=["prior", "value"])
def test_an_answer_that_is_not_finite_is_refused(part: int) -> None:
    """A caller's own evaluator may be wrong; the search would play moves of other positions."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        answer = uniform(observation, legal)
        answer[part][0] = np.nan
        return answer

    with pytest.raises(ValueError, match="the evaluator answers NaN or infinity"):
        Search("tictactoe", 1, 10).run(after("tictactoe", [4]), 10, evaluate)


@pytest.mark.parametrize(
    ("part", "number", "words"),
    [
        (0, -0.25, r"a prior of -0\.25; search needs priors of 0 or more"),
        (0, 0.25, r"priors that sum to 2 over the legal moves; search needs a sum of 1"),
        (1, 57.0, r"a value of 57\.0; search needs values from -1 to 1, for the mover"),
        (1, -1e10, r"a value of -10000000000\.0; search needs"),
    ],
)
def test_an_answer_that_is_out_of_range_is_refused(part: int, number: float, words: str) -> None:
    """Values may be in percent or in pawns. Far below -1 no move would be as good as none."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        answer = uniform(observation, legal)
        answer[part][0] = number
        return answer

    with pytest.raises(ValueError, match=f"the evaluator answers {words}"):
        Search("tictactoe", 1, 10).run(after("tictactoe", [4]), 10, evaluate)


def test_answers_may_be_of_another_type() -> None:
    """Of 64 bits, as NumPy computes by default, or lists; search has one type."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> Any:
        prior, value = uniform(observation, legal)
        return prior.astype(np.float64), value.tolist()

    states = after("tictactoe", [4])
    found, expected = (Search("tictactoe", 1, 10).run(states, 10, one) for one in (evaluate, uniform))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_fewer_simulations_than_none_are_refused() -> None:
    """The shares would be 0, and the first action the best."""
    with pytest.raises(ValueError, match=r"^-1 simulations can't be made; give 0 or more$"):
        Search("tictactoe", 1, 10).run(after("tictactoe", [4]), -1, uniform)


def test_every_row_of_a_batch_has_a_legal_move() -> None:
    """Also those that no search waits for, so that an evaluator may divide by their number."""

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert legal.any(axis=1).all()
        return uniform(observation, legal)

    Search("tictactoe", 64, 10).run(np.repeat(after("tictactoe", [4]), 3, axis=0), 10, evaluate)
