"""Rows from inside a search: a position of its tree, for training as well. S state words, A actions.

A search learns about more positions than its root. Where it went often, the mean value and the visits of the moves are
targets, too, as in TreeStrap (Veness, Silver, Uther and Blair 2009, "Bootstrapping from game tree search"). These rows
cost next to nothing. Most are of positions that the game doesn't reach, and their values don't tell how some game ended.

Compiled for each game by `trainer.games.kernels`, which binds `rules`, `policies`, `proofs` and the sizes.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import OPEN, WINNER, Game, Rules
from trainer.search.tree import LOSS, NOBODY, UNKNOWN, Tree

rules: Rules
policies: ModuleType
proofs: ModuleType
FEW_LEGAL: bool
NUM_ACTIONS: int

LEAST_VISITS = 16
"""Visits from which on a position of a tree may become a row."""


def tree_row(game: Game) -> np.dtype[Any]:
    """What is recorded of the position."""
    return np.dtype(
        [
            ("state", np.uint64, (game.state_words,)),
            ("after", np.uint64, (game.state_words,)),  # after the most visited move
            ("visits", np.float32, (game.policy_size,)),  # the policy target, as `search.policies` keeps it
            ("value", np.float32),  # its mean in the search, for the mover
            ("action", np.uint32),  # the most visited move
            ("depth", np.int32),  # moves from the position that was searched
            ("found", np.bool_),  # there is such a position
        ],
        align=True,
    )


def draw(trees: Tree, slot: int, played: int, uniform: float, policy: NDArray[np.float32], row: Any) -> None:
    """Write a position of the search in a slot to `row`, drawn by `uniform` in [0, 1).

    Never a proven one, nor the one after the move `played`, which is searched next. `policy` [A]: scratch memory.
    """
    row.found = False
    root, next_root = trees.nodes[slot, 0], NOBODY
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        if trees.edges[slot, at].action == played:
            next_root = trees.edges[slot, at].node
    candidates = 0
    for index in range(1, trees.used_nodes[slot]):
        candidates += is_candidate(trees.nodes[slot, index], index, next_root)
    left = int(uniform * candidates)
    for index in range(1, trees.used_nodes[slot]):
        if is_candidate(trees.nodes[slot, index], index, next_root):
            if left == 0:
                write(trees, slot, index, policy, row)
                return
            left -= 1


def is_candidate(node: Any, index: int, next_root: int) -> bool:
    """Whether a node may become a row."""
    return bool(index != next_root and node.proven == UNKNOWN and node.visits >= LEAST_VISITS)


def write(trees: Tree, slot: int, index: int, policy: NDArray[np.float32], row: Any) -> None:
    """Write a node to `row`; not if its most visited move ends the game, because then the row would be the end of one.

    As at a root, moves that are proven losses are no target, however often they were visited before the proof.
    """
    node = trees.nodes[slot, index]
    for word in range(len(row.state)):
        row.state[word] = row.after[word] = trees.states[slot, index, word]
    for action in range(NUM_ACTIONS):
        policy[action] = 0.0
    best = most = total = 0
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        edge = trees.edges[slot, at]
        if edge.visits > 0 and proofs.proven_of(trees, slot, at) != LOSS:
            policy[edge.action] = edge.visits
            total += edge.visits
            if edge.visits > most:
                most, best = int(edge.visits), int(edge.action)
    if total == 0:
        return
    for action in range(NUM_ACTIONS):
        policy[action] /= np.float32(total)
    if FEW_LEGAL:
        rules.legal(row.state, trees.mask, trees.found)
    policies.keep(policy, trees.mask, row.visits)
    mean = np.float32(node.value_sum / np.float32(node.visits))
    row.value = min(max(mean if node.chooser == node.mover else -mean, np.float32(-1.0)), np.float32(1.0))
    row.action, row.depth = best, node.depth
    rules.play(row.after, best)
    row.found = row.after[WINNER] == OPEN
