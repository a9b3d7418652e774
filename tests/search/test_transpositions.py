"""A position that several orders of moves lead to is one node of the search."""

from __future__ import annotations

from collections import Counter

import numpy as np
import paths
import pytest
from kinds import every_kind
from lines_of_play import some_positions
from numpy.typing import NDArray
from predictable import arbitrary
from registering import registered

from trainer.evaluators.interface import Evaluate
from trainer.games.base import MOVER, Mask
from trainer.games.positions import Positions
from trainer.games.solving.exhaustive import ExhaustiveSolver
from trainer.search import Search, SearchConfig
from trainer.search.tree import NOBODY, UNKNOWN

SIMULATIONS = 300


@every_kind
def test_each_position_is_one_node(env_id: str) -> None:
    """No two nodes of the same depth have the same position, and some nodes end several edges; not so with a history."""
    search = Search(env_id, 1, SIMULATIONS)
    shared = 0
    for state in some_positions(env_id, 5):
        search.run(state[None], SIMULATIONS, arbitrary)
        count = search.tree.used_nodes[0]
        nodes, states = search.tree.nodes[0, :count], search.tree.states[0, :count]
        positions = [
            (node["depth"], node["chooser"], key.tobytes())
            for node, key in zip(nodes, states[:, : search.game.lasting_words], strict=True)
        ]
        assert len(set(positions)) == count
        ends = Counter(search.tree.edges[0, : search.tree.used_edges[0]]["node"])
        ends.pop(NOBODY, None)
        assert set(ends) == set(range(1, count)), "each node but the root ends an edge"
        shared += sum(number > 1 for number in ends.values())
    assert bool(shared) != search.game.has_history


@every_kind
def test_visits_and_values_add_up(env_id: str) -> None:
    """A node has the visits of its edges and its own; its value is the mean of its evaluation and of its edges' values."""
    search = Search(env_id, 1, SIMULATIONS)
    looked_at = 0
    for state in some_positions(env_id, 5):
        search.run(state[None], SIMULATIONS, arbitrary)
        tree = search.tree
        for index, node in enumerate(tree.nodes[0, : tree.used_nodes[0]]):
            edges = tree.edges[0, node["first_edge"] : node["first_edge"] + node["num_visited"]]
            if node["num_edges"] == 0:
                continue
            if node["proven"] == UNKNOWN:  # else a visit ends here
                assert node["visits"] == 1 + edges["visits"].sum()
            assert (edges["visits"] <= tree.nodes[0][edges["node"]]["visits"]).all()
            lost = edges["q"] < -1  # proven to be; q is lower still
            if lost.any() or node["proven"] != UNKNOWN:
                continue
            position = Positions(env_id, 0).of(tree.states[0, index][None])
            value = arbitrary(position.observation(), position.legal())[1][0]
            mean = (value + (edges["visits"] * edges["q"]).sum()) / node["visits"]
            sign = 1 if node["chooser"] == node["mover"] else -1
            assert node["value_sum"] / node["visits"] == pytest.approx(sign * mean, abs=1e-4)
            assert node["mover"] == tree.states[0, index][MOVER]
            looked_at += 1
    assert looked_at > 10


def preferring(seed: int) -> Evaluate:
    """Priors and values that have nothing to do with the game, so that searches take other ways for each seed."""
    weights = np.random.default_rng(seed).normal(size=(1000, 1000)).astype(np.float32)

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        actions = legal.shape[1]
        scores = np.sin(observation @ weights[: observation.shape[1], : actions + 1])
        prior = np.where(legal, np.exp(2 * scores[:, :actions]), 0)
        return (prior / np.maximum(prior.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32), scores[:, actions]

    return evaluate


def test_positions_with_other_histories_are_others() -> None:
    """Where the cells that were visited decide what comes later, whatever is proven of a move is true.

    If they were merged, one of 336 positions would have a wrong proof on some ways.
    """
    registered(paths)
    solver = ExhaustiveSolver("paths")
    scores = solver.scores(Positions("paths", 0).of(solver.states))
    search = Search("paths", len(scores), 60, SearchConfig(c_puct=3.0))
    for seed in range(12):
        search.run(solver.states, 60, preferring(seed))
        for slot, score in enumerate(scores):
            moves = search.root_moves(slot)
            found = moves.proven != UNKNOWN
            np.testing.assert_array_equal(moves.values[found], np.sign(score[moves.actions[found]]))
