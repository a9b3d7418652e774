"""Kernels that bring the values of the nodes on a simulation's path up to date.

Compiled by `trainer.games.kernels`, which binds `proofs`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from trainer.search.tree import LOSS, UNKNOWN, WIN, Tree

proofs: ModuleType

INLINED = True

AVOIDED = np.float32(-1e6)  # q of an edge that is a proven loss


def back_up(tree: Tree, slot: int, index: int, value: np.float32) -> None:
    """End a simulation at a node, with `value` for its chooser, and update the nodes on the way back.

    A proof goes up this way as far as it reaches; other ways to the same node learn of it when a simulation takes them. The
    search is over when a proof reaches the root.
    """
    leaf = tree.nodes[slot, index]
    leaf.visits += 1
    leaf.value_sum += value
    while index != 0:
        child = tree.nodes[slot, index]
        index = int(child.parent)
        parent = tree.nodes[slot, index]
        if child.proven != UNKNOWN and parent.proven == UNKNOWN:
            best = proofs.best_proven(tree, slot, index)
            if best != UNKNOWN:
                parent.proven = best if parent.chooser == parent.mover else WIN + LOSS - best
        count_visit(tree, slot, index, int(child.edge))
    if tree.nodes[slot, 0].proven != UNKNOWN:
        tree.budget[slot] = 0


def count_visit(tree: Tree, slot: int, index: int, at: int) -> None:
    """Count a visit of an edge and of the node it begins at, and bring the values of both up to date.

    The value of a node is the mean of its own evaluation and of its edges' q by their visits, even where other parents
    changed a child's value (Wu 2022, "Monte-Carlo graph search from first principles", in KataGo's documentation). So what
    an edge has learned since its last visit counts for all of its visits, but a proven loss only from now on.
    """
    parent, edge = tree.nodes[slot, index], tree.edges[slot, at]
    child = tree.nodes[slot, edge.node]
    visits = np.float32(edge.visits)
    if child.proven == LOSS:
        change, edge.q = np.float32(-1.0), AVOIDED
    else:
        q = proofs.exact(child.proven)
        if child.proven == UNKNOWN:
            q = np.float32(child.value_sum / np.float32(child.visits))
        change = q + visits * (q - edge.q)
        edge.q = q
    parent.value_sum += change if parent.chooser == parent.mover else -change
    parent.visits += 1
    edge.u *= (visits + np.float32(1.0)) / (visits + np.float32(2.0))
    edge.visits += 1
