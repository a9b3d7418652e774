"""Kernels of PUCT: which edge a simulation takes, and the result of a search whose root also used PUCT.

Compiled for each game by `trainer.games.kernels`, which binds `tree` and `proofs`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from trainer.search.selection import Selection
from trainer.search.tree import LOSS, UNKNOWN, WIN, Tree

tree: ModuleType
proofs: ModuleType
NUM_ACTIONS: int

INLINED = True


def best_edge(trees: Tree, slot: int, index: int, selection: Selection) -> int:
    """The edge with the largest Q + c P sqrt(N) / (1 + n) (AlphaZero's PUCT; Silver et al. 2017).

    Q of an unvisited edge is the node's own value minus `fpu_reduction` sqrt(sum of the visited priors) (KataGo; Wu 2019).
    """
    node = trees.nodes[slot, index]
    exploration = np.float32(selection.c_puct) * np.sqrt(np.float32(node.visits))
    last = node.first_edge + node.num_visited
    best, best_score = int(last), np.float32(-1e9)
    if node.num_visited < node.num_edges:
        q = tree.value_of(trees, slot, index) - np.float32(selection.fpu_reduction) * np.sqrt(node.visited_prior)
        best_score = q + exploration * trees.edges[slot, last].u
    for at in range(node.first_edge, last):
        edge = trees.edges[slot, at]
        score = edge.q + exploration * edge.u
        best = at if score > best_score else best
        best_score = max(best_score, score)
    return best


def answer_all(trees: Tree, visits: NDArray[np.float32], values: NDArray[np.float32]) -> None:
    """`answer` of the first R slots: `visits` [R, A], `values` [R]."""
    for row in range(len(values)):
        values[row] = answer(trees, row, visits[row])


def answer(trees: Tree, slot: int, visits: NDArray[np.float32]) -> np.float32:
    """Write each action's share of the visits to `visits` [A]; returns the value for the player to move at the root.

    A proven win gets everything, a proven loss nothing unless all moves lose. If no candidate was visited (there was no
    budget, or only losing moves were visited), the priors are written instead.
    """
    root = trees.nodes[slot, 0]
    for action in range(NUM_ACTIONS):
        visits[action] = 0.0
    last = root.first_edge + root.num_edges
    best, lost = proofs.proven_at_root(trees, slot)
    total = np.float32(0.0)
    for at in range(root.first_edge, last):
        if proofs.is_candidate(trees, slot, at, best, lost):
            visits[trees.edges[slot, at].action] = tree.visits_of(trees, slot, at)
            total += np.float32(tree.visits_of(trees, slot, at))
    if total == 0:
        for at in range(root.first_edge, last):
            if proofs.is_candidate(trees, slot, at, best, lost):
                share = tree.prior_of(trees, slot, at)
                visits[trees.edges[slot, at].action] = share
                total += share
    if total > 0:
        for action in range(NUM_ACTIONS):
            visits[action] /= total
    if root.proven != UNKNOWN:
        return np.float32(proofs.exact(WIN + LOSS - root.proven))
    return np.float32(tree.value_of(trees, slot, 0))
