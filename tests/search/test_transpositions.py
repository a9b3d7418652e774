"""A position that several orders of moves lead to is one node of the search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import paths
import pytest
from kinds import every_kind
from lines_of_play import some_positions
from predictable import arbitrary
from registering import registered

from trainer.games import game_of
from trainer.games.base import MOVER
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.search import Search
from trainer.search.tree import NO_NODE, UNKNOWN

SIMULATIONS = 300


def searches(env_id: str) -> Iterator[Search]:
    """A search that has just begun and ended at a position of a random game; the same one for five positions."""
    search = Search(env_id, 1, SIMULATIONS)
    for state in some_positions(env_id, 5):
        search.run(state[None], SIMULATIONS, arbitrary)
        yield search


@every_kind
def test_each_position_is_one_node(env_id: str) -> None:
    """No two nodes of the same depth have the same position, and some nodes end several edges; not so with a history."""
    shared = 0
    for search in searches(env_id):
        count = search.tree.used_nodes[0]
        nodes, states = search.tree.nodes[0, :count], search.tree.states[0, :count]
        positions = [
            (node["depth"], node["chooser"], key.tobytes())
            for node, key in zip(nodes, states[:, : search.game.lasting_words], strict=True)
        ]
        assert len(set(positions)) == count
        ends = Counter(search.tree.edges[0, : search.tree.used_edges[0]]["node"])
        ends.pop(NO_NODE, None)
        assert set(ends) == set(range(1, count)), "each node but the root ends an edge"
        shared += sum(number > 1 for number in ends.values())
    assert bool(shared) != game_of(env_id).has_history


@every_kind
def test_visits_and_values_add_up(env_id: str) -> None:
    """A node has the visits of its edges and its own; its value is the mean of its evaluation and of its edges' values.

    Who moves at a node chose between the positions after it, from whose point of view their values are.
    """
    looked_at = 0
    for search in searches(env_id):
        tree = search.tree
        for index, node in enumerate(tree.nodes[0, : tree.used_nodes[0]]):
            edges = tree.edges[0, node["first_edge"] : node["first_edge"] + node["num_visited"]]
            if node["num_edges"] == 0:
                continue
            if node["proven"] == UNKNOWN:  # else a visit ends here
                assert node["visits"] == 1 + edges["visits"].sum()
            children = tree.nodes[0][edges["node"]]
            assert (edges["visits"] <= children["visits"]).all()
            assert (children["chooser"] == node["mover"]).all()
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


def test_positions_with_other_histories_are_others() -> None:
    """Some have the same key at the same depth, but the cells that were visited decide what comes later."""
    registered(paths)
    search = Search("paths", 1, SIMULATIONS)
    search.run(Position.first(paths).state[None], SIMULATIONS, arbitrary)
    count, key = search.tree.used_nodes[0], search.game.deciding_words
    nodes, states = search.tree.nodes[0, :count], search.tree.states[0, :count]
    keys = {(node["depth"], state[:key].tobytes()) for node, state in zip(nodes, states, strict=True)}
    assert len(keys) < count
    ends = search.tree.edges[0, : search.tree.used_edges[0]]["node"]
    assert sorted(ends[ends != NO_NODE]) == list(range(1, count)), "each node ends one edge"
