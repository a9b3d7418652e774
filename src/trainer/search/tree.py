"""The memory of searches, and kernels for their nodes and edges. G slots, N nodes a search, S state words, A actions.

Many positions are searched in lockstep, one in each slot. A node is a position that was visited; an edge is a move from it,
which may not have been made yet. The player who made the move to a node is its *chooser*. `value_sum`, `proven` and an
edge's `q` are seen from the chooser's side, so that a node compares its edges without changing signs.

Moves in another order that lead to the same position lead to the same node (`transpositions.py`), so this is a graph, and an
edge has visits of its own. `parent` and `edge` of a node are those of the simulation that came to it last: the way back.

The edges of a node are neighbours in memory: first the visited ones, then the unvisited one with the largest prior, then the
rest. The rest can't score higher than that one, so a comparison stops there.

Compiled for each game by `trainer.games.kernels`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import MOVER, OPEN, WINNER, Board, Game, Mask, Moves, State

NUM_ACTIONS: int

INLINED = True

UNKNOWN, LOSS, DRAWN, WIN = 0, 1, 2, 3  # what is proven of a node, for its chooser; larger is better
NO_NODE = -1  # no leaf is waiting in this slot; there is no node at the end of this edge
TINY = np.float32(1e-30)  # stands in for a prior of zero if some move has to be played

NODE = np.dtype(
    [
        ("value_sum", np.float32),  # for the chooser, of all visits
        ("visits", np.int32),
        ("visited_prior", np.float32),  # sum of the priors of the visited edges
        ("parent", np.int32),  # of the simulation that came here last
        ("edge", np.int32),  # by which it came
        ("first_edge", np.int32),
        ("depth", np.int32),  # moves from the root
        ("num_edges", np.int16),
        ("num_visited", np.int16),  # visited edges
        ("proven", np.int8),  # for the chooser
        ("mover", np.int8),  # player to move
        ("chooser", np.int8),  # player who moved here; at the root, the opponent of the player to move
    ],
    align=True,
)
EDGE = np.dtype(
    [
        ("q", np.float32),  # mean value for the player who makes this move, who is the chooser of the node at its end
        ("u", np.float32),  # prior / (1 + visits)
        ("node", np.int32),  # at its end, or NO_NODE
        ("visits", np.int32),  # by this edge; the node at its end may have more
        ("action", np.int32),
    ],
    align=True,
)


class Tree(NamedTuple):
    """Memory of G trees with N nodes and E edges each."""

    nodes: NDArray[Any]
    """NODE [G, N]; node 0 is the root."""
    states: State
    """uint64 [G, N, S]"""
    edges: NDArray[Any]
    """EDGE [G, E]"""
    node_table: NDArray[np.int32]
    """[G, T] a hash table of the nodes by their positions: a node's index plus 1, or 0 for none. In a game with a history it
    has one place, which nobody reads."""
    used_nodes: NDArray[np.int32]
    """[G]"""
    used_edges: NDArray[np.int32]
    """[G]"""
    leaf: NDArray[np.int64]
    """[G] the node that waits for its evaluation, or NO_NODE."""
    row: NDArray[np.int32]
    """[G] its row in the batch."""
    root_value: NDArray[np.float32]
    """[G] the root's own evaluation, for the player to move."""
    budget: NDArray[np.int32]
    """[G] simulations left to do; the root's own evaluation counts as one."""
    noise: NDArray[np.float32]
    """[G, A] the root's noise: gamma variates, or Gumbel variates if `gumbel` is set; all zero for none."""
    gumbel: Mask
    """[G] it is a Gumbel search: the root's moves are visited by sequential halving."""
    state: State
    """uint64 [S], scratch memory: the current position."""
    board: Board
    """uint8 [cells or more], scratch memory."""
    mask: Mask
    """bool [A], its legal actions."""
    found: Moves
    """int32 [A], scratch memory."""
    ahead: State
    """uint64 [2, S], scratch memory: the positions one and two moves after `state`."""
    ahead_masks: Mask
    """bool [2, A], their legal actions."""


def empty_tree(game: Game, slots: int, simulations: int) -> Tree:
    """Memory for G = `slots` searches of at most this many simulations."""
    nodes = simulations + 2  # the root, one for each simulation, and one that is never used
    edges = (simulations + 1) * game.most_moves + 1  # `add_edges` writes one place too far
    places = 1 if game.has_history else 1 << (2 * nodes - 1).bit_length()
    return Tree(
        nodes=np.zeros((slots, nodes), NODE),
        states=np.zeros((slots, nodes, game.state_words), np.uint64),
        edges=np.zeros((slots, edges), EDGE),
        node_table=np.zeros((slots, places), np.int32),
        used_nodes=np.zeros(slots, np.int32),
        used_edges=np.zeros(slots, np.int32),
        leaf=np.full(slots, NO_NODE, np.int64),
        row=np.zeros(slots, np.int32),
        root_value=np.zeros(slots, np.float32),
        budget=np.zeros(slots, np.int32),
        noise=np.zeros((slots, game.num_actions), np.float32),
        gumbel=np.zeros(slots, np.bool_),
        state=np.zeros(game.state_words, np.uint64),
        board=np.zeros(game.scratch_cells, np.uint8),
        mask=np.zeros(game.num_actions, np.bool_),
        found=np.zeros(game.num_actions, np.int32),
        ahead=np.zeros((2, game.state_words), np.uint64),
        ahead_masks=np.zeros((2, game.num_actions), np.bool_),
    )


def begin_all(tree: Tree, states: State, simulations: int, gumbel: bool) -> None:
    """Start a search from each row of `states` [R, S], R at most G; the other slots stay idle. The caller sets `noise`."""
    for slot in range(len(tree.budget)):
        tree.budget[slot] = 0
        tree.leaf[slot] = NO_NODE
    for row in range(len(states)):
        begin(tree, row, states[row], simulations, gumbel)


def begin(tree: Tree, slot: int, state: State, simulations: int, gumbel: bool) -> None:
    """Start a search from `state` [S]: a tree whose root has yet to be evaluated."""
    tree.gumbel[slot] = gumbel
    for word in range(len(state)):
        tree.states[slot, 0, word] = state[word]
    tree.used_nodes[slot] = 0
    tree.used_edges[slot] = 0
    for at in range(tree.node_table.shape[1]):
        tree.node_table[slot, at] = 0
    mover = int(state[MOVER])
    add_node(tree, slot, mover, 3 - mover, 0)
    tree.leaf[slot] = NO_NODE
    tree.budget[slot] = simulations + 1 if state[WINNER] == OPEN else 0


def add_node(tree: Tree, slot: int, mover: int, chooser: int, depth: int) -> int:
    """Append an unvisited node; returns its index."""
    index = tree.used_nodes[slot]
    tree.used_nodes[slot] = index + 1
    node = tree.nodes[slot, index]
    node.value_sum = 0.0
    node.visits = 0
    node.visited_prior = 0.0
    node.parent = NO_NODE
    node.edge = NO_NODE
    node.depth = depth
    node.first_edge = 0
    node.num_edges = 0
    node.num_visited = 0
    node.proven = UNKNOWN
    node.mover = mover
    node.chooser = chooser
    return int(index)


def add_edges(tree: Tree, slot: int, index: int, legal: Mask, prior: NDArray[np.float32]) -> None:
    """Give a node an edge for each legal action; `legal`, `prior` [A]."""
    node = tree.nodes[slot, index]
    at = tree.used_edges[slot]
    node.first_edge = at
    for action in range(NUM_ACTIONS):  # without a branch: the edge of an illegal action is overwritten by the next
        edge = tree.edges[slot, at]
        edge.u = prior[action]
        edge.node = NO_NODE
        edge.visits = 0
        edge.action = action
        at += legal[action]
    node.num_edges = at - node.first_edge
    tree.used_edges[slot] = at


def bring_best_forward(tree: Tree, slot: int, index: int) -> None:
    """Put the edge with the largest prior first among the unvisited edges of a node."""
    node = tree.nodes[slot, index]
    first, last = node.first_edge + node.num_visited, node.first_edge + node.num_edges
    best = first
    for at in range(first, last):
        if tree.edges[slot, at].u > tree.edges[slot, best].u:
            best = at
    exchange(tree, slot, first, best)


def exchange(tree: Tree, slot: int, one: int, other: int) -> None:
    """Swap two unvisited edges."""
    if one != other:
        here, there = tree.edges[slot, one], tree.edges[slot, other]
        here.action, there.action = there.action, here.action
        prior = tree.edges[slot, one].u
        tree.edges[slot, one].u = tree.edges[slot, other].u
        tree.edges[slot, other].u = prior


def value_of(tree: Tree, slot: int, index: int) -> np.float32:
    """The mean value of a node for the player to move there; 0 before the first visit."""
    node = tree.nodes[slot, index]
    if node.visits == 0:
        return np.float32(0.0)
    mean = np.float32(node.value_sum / np.float32(node.visits))
    return mean if node.chooser == node.mover else -mean


def prior_of(tree: Tree, slot: int, edge: int) -> np.float32:
    """The prior of an edge."""
    return max(tree.edges[slot, edge].u * np.float32(1 + tree.edges[slot, edge].visits), TINY)


def visits_of(tree: Tree, slot: int, edge: int) -> int:
    """How often an edge was visited."""
    return int(tree.edges[slot, edge].visits)
