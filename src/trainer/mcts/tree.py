"""Kernels of the search: many trees in lockstep, one a slot. G slots, N nodes a tree, S state words, A actions.

A simulation walks down from the root by PUCT to a leaf, has the leaf evaluated, adds its children, and adds the value to
every node on the way back. `descend` does the first part for every slot, `expand` the last; between them the caller
evaluates all leaves as one batch, one row a slot.

A node stands for the move that leads to it, and the player who made that move is its *chooser*. `value_sum` and `proven`
are the chooser's, so a parent compares its children without changing signs. The children of a node are neighbours.

Terminal positions are proven; a node is proven when one of its children is a proven win for the player to move there,
or when all of them are proven (MCTS-Solver: Winands, Bjornsson and Saito, 2008).

Compiled per game by `trainer.games.compiled`, which binds `rules`, `rows` and the sizes.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Mask, Rules, State

rules: Rules
rows: ModuleType
NUM_CELLS: int
NUM_ACTIONS: int

UNKNOWN, LOSS, DRAWN, WIN = 0, 1, 2, 3  # what is proven of a node, for its chooser; a larger one is better
NOBODY = -1  # no leaf waits in this slot

NODE = np.dtype(
    [
        ("visits", np.int32),
        ("value_sum", np.float32),  # for the chooser
        ("prior", np.float32),
        ("visited_prior", np.float32),  # sum of the priors of the children that were visited
        ("parent", np.int32),
        ("first_child", np.int32),
        ("num_children", np.int16),
        ("action", np.int16),
        ("proven", np.int8),
        ("mover", np.int8),  # player to move at this node; 0 while nobody was here
    ],
    align=True,
)


class Tree(NamedTuple):
    """Memory of G trees."""

    nodes: NDArray[Any]
    """NODE [G, N]; node 0 is the root."""
    states: State
    """uint64 [G, N, S]"""
    used: NDArray[np.int32]
    """[G] nodes in use."""
    leaf: NDArray[np.int32]
    """[G] the node that waits for its evaluation, or NOBODY."""
    budget: NDArray[np.int32]
    """[G] simulations still to do; the root's own evaluation counts as one."""
    noise: NDArray[np.float32]
    """[G, A] the root's Dirichlet noise before it is normalized over the legal actions; all zero for none."""


class Selection(NamedTuple):
    """The constants of PUCT."""

    c_puct: float
    fpu_reduction: float
    noise_fraction: float


def begin(tree: Tree, slot: int, state: State, simulations: int) -> None:
    """Start a search from `state` [S]: an empty tree whose root waits to be evaluated."""
    for word in range(len(state)):
        tree.states[slot, 0, word] = state[word]
    root = tree.nodes[slot, 0]
    clear(root, -1, 0, np.float32(1.0))
    root.mover = state[MOVER]
    tree.used[slot] = 1
    tree.leaf[slot] = NOBODY
    tree.budget[slot] = simulations + 1 if state[WINNER] == OPEN else 0


def clear(node: Any, parent: int, action: int, prior: np.float32) -> None:
    """Make a record a node that nobody has visited."""
    node.visits = 0
    node.value_sum = 0.0
    node.prior = prior
    node.visited_prior = 0.0
    node.parent = parent
    node.first_child = 0
    node.num_children = 0
    node.action = action
    node.proven = UNKNOWN
    node.mover = 0


def descend(tree: Tree, selection: Selection, observation: NDArray[np.float32], legal: Mask) -> tuple[int, int]:
    """Walk every slot that has budget to a leaf that needs an evaluation.

    Writes the leaf's row of `observation` [G, obs_size] and `legal` [G, A]. Leaves that need none (the game is over there,
    or it is a proven draw) are backed up at once. Returns the number of leaves that wait and of simulations done on the way.
    """
    state = np.zeros(tree.states.shape[2], np.uint64)
    board = np.zeros(NUM_CELLS, np.uint8)
    mask = np.zeros(NUM_ACTIONS, np.bool_)
    waiting = done = 0
    for slot in range(len(tree.used)):
        while tree.budget[slot] > 0:
            index = walk(tree, slot, selection)
            node = tree.nodes[slot, index]
            if node.mover == 0:
                enter(tree, slot, index, state)
            if node.proven != UNKNOWN:
                tree.budget[slot] -= 1
                done += 1
                back_up(tree, slot, index, exact(node.proven), node.visits == 0)
                continue
            for word in range(len(state)):
                state[word] = tree.states[slot, index, word]
            rules.legal(state, mask)
            rules.cells(state, board)
            rows.write_observation(board, mask, node.mover, observation, slot)
            for action in range(NUM_ACTIONS):
                legal[slot, action] = mask[action]
            tree.leaf[slot] = index
            waiting += 1
            break
    return waiting, done


def walk(tree: Tree, slot: int, selection: Selection) -> int:
    """The leaf that PUCT leads to: a node without children, or a proven one below the root."""
    index = 0
    node = tree.nodes[slot, 0]
    while node.num_children > 0 and (index == 0 or node.proven == UNKNOWN):
        index = best_child(tree, slot, index, selection)
        node = tree.nodes[slot, index]
    return index


def best_child(tree: Tree, slot: int, index: int, selection: Selection) -> int:
    """The child with the largest Q + c P sqrt(N) / (1 + n) (AlphaZero's PUCT; Silver et al. 2017).

    A child that nobody visited has Q = the node's own value minus `fpu_reduction` sqrt(sum of visited priors) (KataGo; Wu
    2019). A proven child has its exact Q, and a proven loss is taken only where there is nothing else.
    """
    node = tree.nodes[slot, index]
    exploration = np.float32(selection.c_puct * math.sqrt(node.visits))
    own_value = value_of(tree, slot, index)
    unvisited = np.float32(own_value - selection.fpu_reduction * math.sqrt(node.visited_prior))
    best, best_score = int(node.first_child), np.float32(-1e9)
    for at in range(node.first_child, node.first_child + node.num_children):
        child = tree.nodes[slot, at]
        visits = np.float32(child.visits)
        if child.proven == LOSS:
            score = np.float32(-1e6) - visits
        else:
            q = unvisited
            if child.proven != UNKNOWN:
                q = exact(child.proven)
            elif child.visits > 0:
                q = child.value_sum / visits
            score = q + exploration * child.prior / (np.float32(1.0) + visits)
        if score > best_score:
            best, best_score = at, score
    return best


def value_of(tree: Tree, slot: int, index: int) -> np.float32:
    """The mean value of a node for the player to move there; 0 before the first visit."""
    node = tree.nodes[slot, index]
    if node.visits == 0:
        return np.float32(0.0)
    mean = np.float32(node.value_sum / np.float32(node.visits))
    return mean if chooser(tree, slot, index) == node.mover else -mean


def chooser(tree: Tree, slot: int, index: int) -> int:
    """The player who made the move to this node; at the root, the opponent of the player to move."""
    if index == 0:
        return 3 - int(tree.nodes[slot, 0].mover)
    return int(tree.nodes[slot, tree.nodes[slot, index].parent].mover)


def exact(proven: int) -> np.float32:
    """The value of what is proven: WIN +1, DRAWN 0, LOSS -1."""
    return np.float32(proven - DRAWN)


def enter(tree: Tree, slot: int, index: int, state: State) -> None:
    """First visit to a node: find its position, and prove it where the game is over. `state` [S] is overwritten."""
    node = tree.nodes[slot, index]
    parent = tree.nodes[slot, node.parent]
    for word in range(len(state)):
        state[word] = tree.states[slot, node.parent, word]
    rules.play(state, int(node.action))
    for word in range(len(state)):
        tree.states[slot, index, word] = state[word]
    node.mover = state[MOVER]
    parent.visited_prior += node.prior
    winner = int(state[WINNER])
    if winner == DRAW:
        node.proven = DRAWN
    elif winner != OPEN:
        node.proven = WIN if winner == parent.mover else LOSS


def expand(
    tree: Tree,
    selection: Selection,
    legal: Mask,
    prior: NDArray[np.float32],
    value: NDArray[np.float32],
) -> int:
    """Give every waiting leaf its children and back its value up; returns the number of simulations done.

    `legal` [G, A] as `descend` wrote it, `prior` [G, A] sums to 1 over it, `value` [G] is the mover's, in [-1, 1].
    """
    done = 0
    for slot in range(len(tree.used)):
        index = tree.leaf[slot]
        if index == NOBODY:
            continue
        tree.leaf[slot] = NOBODY
        tree.budget[slot] -= 1
        done += 1
        node = tree.nodes[slot, index]
        node.first_child = tree.used[slot]
        at = node.first_child
        for action in range(NUM_ACTIONS):
            if legal[slot, action]:
                clear(tree.nodes[slot, at], index, action, prior[slot, action])
                at += 1
        node.num_children = at - node.first_child
        tree.used[slot] = at
        if index == 0:
            mix_noise(tree, slot, selection.noise_fraction)
        leaf_value = value[slot] if chooser(tree, slot, index) == node.mover else -value[slot]
        back_up(tree, slot, index, leaf_value, False)
    return done


def mix_noise(tree: Tree, slot: int, fraction: float) -> None:
    """Mix Dirichlet noise into the root's priors (AlphaZero, Silver et al. 2017).

    Independent gamma variates divided by their sum over the legal actions are a Dirichlet sample over those.
    """
    root = tree.nodes[slot, 0]
    total = np.float32(0.0)
    for at in range(root.first_child, root.first_child + root.num_children):
        total += tree.noise[slot, tree.nodes[slot, at].action]
    if total > 0:
        for at in range(root.first_child, root.first_child + root.num_children):
            child = tree.nodes[slot, at]
            noise = tree.noise[slot, child.action] / total
            child.prior = np.float32((1.0 - fraction) * child.prior + fraction * noise)


def back_up(tree: Tree, slot: int, index: int, value: np.float32, proved: bool) -> None:
    """Add `value` (for the chooser of `index`) to the node and all above it; `proved`: this node has just been proven.

    A proof goes up as far as it reaches, and its exact value with it. When it reaches the root the search is over.
    """
    node = tree.nodes[slot, index]
    node.visits += 1
    node.value_sum += value
    while index != 0:
        index = node.parent
        parent = tree.nodes[slot, index]
        same = chooser(tree, slot, index) == parent.mover
        if not same:
            value = -value
        if proved and parent.proven == UNKNOWN:
            best = best_proven(tree, slot, index)
            proved = best != UNKNOWN
            if proved:
                parent.proven = best if same else WIN + LOSS - best
                value = exact(parent.proven)
        else:
            proved = False
        node = parent
        node.visits += 1
        node.value_sum += value
    if node.proven != UNKNOWN:
        tree.budget[slot] = 0


def best_proven(tree: Tree, slot: int, index: int) -> int:
    """What the children prove for the player to move at a node: WIN by one of them, else the best when all are proven."""
    node = tree.nodes[slot, index]
    best, complete = LOSS, True
    for at in range(node.first_child, node.first_child + node.num_children):
        proven = tree.nodes[slot, at].proven
        if proven == WIN:
            return WIN
        complete = complete and proven != UNKNOWN
        best = max(best, proven)
    return best if complete else UNKNOWN


def answer(tree: Tree, slot: int, visits: NDArray[np.float32]) -> np.float32:
    """Write the share of visits of each action to `visits` [A]; returns the value for the player to move at the root.

    Moves proven to lose get nothing while there is another, and a proven win gets everything. Where nothing was visited
    (no budget, or only losing moves were) the priors stand in.
    """
    root = tree.nodes[slot, 0]
    for action in range(NUM_ACTIONS):
        visits[action] = 0.0
    last = root.first_child + root.num_children
    best, lost = UNKNOWN, True
    for at in range(root.first_child, last):
        best = max(best, int(tree.nodes[slot, at].proven))
        lost = lost and tree.nodes[slot, at].proven == LOSS
    total = np.float32(0.0)
    for at in range(root.first_child, last):
        child = tree.nodes[slot, at]
        good = child.proven == WIN if best == WIN else lost or child.proven != LOSS
        if good:
            visits[child.action] = child.visits
            total += np.float32(child.visits)
    if total == 0:
        for at in range(root.first_child, last):
            child = tree.nodes[slot, at]
            if lost or child.proven != LOSS:
                visits[child.action] = child.prior
                total += child.prior
    if total > 0:
        for action in range(NUM_ACTIONS):
            visits[action] /= total
    if root.proven != UNKNOWN:
        return -exact(root.proven)
    return value_of(tree, slot, 0)


def begin_all(tree: Tree, states: State, simulations: int) -> None:
    """Start a search from each row of `states` [R, S], R at most G; the other slots rest."""
    for slot in range(len(tree.used)):
        tree.budget[slot] = 0
        tree.leaf[slot] = NOBODY
        for action in range(NUM_ACTIONS):
            tree.noise[slot, action] = 0.0
    for row in range(len(states)):
        begin(tree, row, states[row], simulations)


def answer_all(tree: Tree, visits: NDArray[np.float32], values: NDArray[np.float32]) -> None:
    """`answer` of the first R slots: `visits` [R, A], `values` [R]."""
    for row in range(len(values)):
        values[row] = answer(tree, row, visits[row])
