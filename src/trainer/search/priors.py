"""Kernels that change the priors of a node whose edges have just been added.

Compiled by `trainer.games.kernels`.
"""

from __future__ import annotations

import numpy as np

from trainer.search.tree import Tree

INLINED = True


def soften(tree: Tree, slot: int, index: int, temperature: float) -> None:
    """Raise the priors of a node to the power of 1 / `temperature` and scale them to sum to 1 again."""
    node, power = tree.nodes[slot, index], np.float32(1.0 / temperature)
    largest = total = np.float32(0.0)
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        largest = max(largest, tree.edges[slot, at].u)
    if largest == 0:
        return
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        edge = tree.edges[slot, at]
        edge.u = (edge.u / largest) ** power  # 1 for the largest; without the division all might round to 0
        total += edge.u
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        tree.edges[slot, at].u /= total


def mix_noise(tree: Tree, slot: int, fraction: float) -> None:
    """Mix Dirichlet noise into the root's priors (AlphaZero; Silver et al. 2017).

    Independent gamma variates of shape alpha, divided by their sum over the legal actions, are a Dirichlet sample over these
    actions.
    """
    root = tree.nodes[slot, 0]
    total = np.float32(0.0)
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        total += tree.noise[slot, tree.edges[slot, at].action]
    if total > 0:
        for at in range(root.first_edge, root.first_edge + root.num_edges):
            edge = tree.edges[slot, at]
            noise = tree.noise[slot, tree.edges[slot, at].action] / total
            edge.u = np.float32((1.0 - fraction) * edge.u + fraction * noise)
