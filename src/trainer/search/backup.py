"""Kernels that add the result of a simulation to every node on its path.

Compiled by `trainer.games.kernels`, which binds `proofs`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from trainer.search.tree import LOSS, UNKNOWN, WIN, Tree

proofs: ModuleType

INLINED = True

AVOIDED = np.float32(-1e6)  # q of an edge that is a proven loss


def back_up(tree: Tree, slot: int, index: int, value: np.float32, proved: bool) -> None:
    """Add `value` (for the chooser of `index`) to a node and to all nodes above it; `proved`: the node was proven just now.

    A proof goes up as far as it reaches, and its exact value goes with it. The search is over when it reaches the root.
    """
    add_visit(tree, slot, index, value)
    while index != 0:
        index = int(tree.nodes[slot, index].parent)
        parent = tree.nodes[slot, index]
        same = parent.chooser == parent.mover
        if not same:
            value = -value
        if proved and parent.proven == UNKNOWN:
            best = proofs.best_proven(tree, slot, index)
            proved = best != UNKNOWN
            if proved:
                parent.proven = best if same else WIN + LOSS - best
                value = proofs.exact(parent.proven)
        else:
            proved = False
        add_visit(tree, slot, index, value)
    if tree.nodes[slot, 0].proven != UNKNOWN:
        tree.budget[slot] = 0


def add_visit(tree: Tree, slot: int, index: int, value: np.float32) -> None:
    """Count a visit of a node, with `value` for its chooser, and update the edge that leads to it."""
    node = tree.nodes[slot, index]
    node.visits += 1
    node.value_sum += value
    if index == 0:
        return
    edge = tree.edges[slot, node.edge]
    if node.proven == UNKNOWN:
        edge.q = node.value_sum / np.float32(node.visits)
        edge.u = node.prior / np.float32(1 + node.visits)
    elif node.proven == LOSS:
        edge.q = AVOIDED
        edge.u = 0.0
    else:
        edge.q = proofs.exact(node.proven)
        edge.u = node.prior / np.float32(1 + node.visits)
