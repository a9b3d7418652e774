"""Kernels that find the node of a position that was reached before, by other moves (Czech, Korus and Kersting 2021).

Only nodes of the same depth are merged, so that no position comes after itself, whatever the rules allow. The first K state
words determine a position's legal moves, its result and its evaluation (`Game.deciding_words`). In a game with a history, as
in Go, what comes later depends on more than those, and hardly any two ways have the same history: there no nodes are merged.

Compiled for each game by `trainer.games.kernels`, which binds `cache`.
"""

from __future__ import annotations

from types import ModuleType

from trainer.games.base import State
from trainer.search.tree import NO_NODE, Tree

cache: ModuleType
KEY_WORDS: int
HAS_HISTORY: bool

INLINED = True


def find(tree: Tree, slot: int, state: State, depth: int, chooser: int) -> tuple[int, int]:
    """The node of a position [S] at this depth, or NO_NODE; and the place of the table where it is or belongs."""
    if HAS_HISTORY:
        return int(NO_NODE), 0
    last = tree.node_table.shape[1] - 1
    at = cache.scaled(cache.mixed(state), tree.node_table.shape[1])
    while tree.node_table[slot, at] != 0:
        index = int(tree.node_table[slot, at]) - 1
        node = tree.nodes[slot, index]
        if node.depth == depth and node.chooser == chooser and is_at(tree, slot, index, state):
            return index, at
        at = at + 1 if at < last else 0
    return int(NO_NODE), at


def is_at(tree: Tree, slot: int, index: int, state: State) -> bool:
    """Whether a node is of this position [S]."""
    same = True
    for word in range(KEY_WORDS):
        same = same and tree.states[slot, index, word] == state[word]
    return same
