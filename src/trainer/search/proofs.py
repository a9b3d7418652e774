"""Kernels that prove nodes (MCTS-Solver; Winands, Björnsson and Saito 2008).

Finished games are proven. So is a position with a winning move, if the rules look for one (`wins_next`; at the root a search
tries that move first), and right behind the root one that is won by force (`forced.py`). A node is proven when one of its
edges leads to a proven win for the player to move there, or when all of them lead to proven nodes.

Compiled by `trainer.games.kernels`.
"""

from __future__ import annotations

import numpy as np

from trainer.search.tree import DRAWN, LOSS, NO_NODE, UNKNOWN, WIN, Tree

INLINED = True


def exact(proven: int) -> np.float32:
    """The value of what is proven: WIN +1, DRAWN 0, LOSS -1."""
    return np.float32(proven - DRAWN)


def proven_of(tree: Tree, slot: int, edge: int) -> int:
    """What is proven of the node at the end of an edge."""
    child = tree.edges[slot, edge].node
    return UNKNOWN if child == NO_NODE else int(tree.nodes[slot, child].proven)


def best_proven(tree: Tree, slot: int, index: int) -> int:
    """What the edges of a node prove for the player to move there: WIN if one wins, the best if all are proven."""
    node = tree.nodes[slot, index]
    best, complete = LOSS, True
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        proven = proven_of(tree, slot, at)
        if proven == WIN:
            return WIN
        complete = complete and proven != UNKNOWN
        best = max(best, proven)
    return best if complete else UNKNOWN


def proven_at_root(tree: Tree, slot: int) -> tuple[int, bool]:
    """The best that is proven of a root's moves, and whether all of them are proven losses."""
    root = tree.nodes[slot, 0]
    best, lost = UNKNOWN, True
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        proven = proven_of(tree, slot, at)
        best = max(best, proven)
        lost = lost and proven == LOSS
    return best, lost


def is_candidate(tree: Tree, slot: int, edge: int, best: int, lost: bool) -> bool:
    """Whether a root's move may be played: if one is a proven win only those may, otherwise none that is a proven loss.

    `best` and `lost` are what `proven_at_root` returned. If all moves lose, all of them may be played.
    """
    proven = proven_of(tree, slot, edge)
    return proven == WIN if best == WIN else lost or proven != LOSS
