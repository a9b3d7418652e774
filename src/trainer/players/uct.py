"""Kernels of UCT with random playouts (Kocsis and Szepesvári 2006). R rows, S state words, N nodes, A actions.

A simulation walks from the root to a move that was not tried yet, adds one node for it, plays random moves from there to the
end of the game, and adds the result to every node on the path. A node of the path with a move that was not tried is left by
one of those, each with the same chance; any other by the move with the largest

    mean result for the player who makes the move + EXPLORATION * sqrt(ln(visits of the node) / visits of the move)

A finished game is exact, and so is what follows from it (MCTS-Solver, Winands et al. 2008): a node is won by its mover if
one of its moves wins, and decided if all of its moves are. A decided move counts what it is worth, without the second term.

These are the rules of OpenSpiel's MCTSBot with its solver and one rollout. There is one tree; it is used for one position
after the other. Compiled for each game by `trainer.games.kernels`.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Game, Mask, Moves, State

own: ModuleType
splitmix: ModuleType
NUM_ACTIONS: int
MOST_MOVES: int
HAS_MOVES: bool

EXPLORATION = 2.0
"""For results from -1 to 1; the same as 1 for results from 0 to 1."""
NO_NODE = -1
HALF = np.uint64(32)

NODE = np.dtype(
    [
        ("total", np.float64),  # sum of the results for the player who moved here
        ("visits", np.int32),
        ("parent", np.int32),
        ("first_child", np.int32),
        ("sibling", np.int32),  # the next child of the same parent
        ("action", np.int32),  # that led here
        ("untried", np.int32),  # legal moves without a node
        ("mover", np.int8),  # player to move
        ("winner", np.int8),  # of the game, if it is over here or decided: FIRST, SECOND or DRAW; else OPEN
    ],
    align=True,
)


class Tree(NamedTuple):
    """Memory of one tree, and scratch memory."""

    nodes: NDArray[Any]
    """NODE [N]; node 0 is the root."""
    states: State
    """uint64 [N, S]"""
    state: State
    """uint64 [S], the position of the playout."""
    mask: Mask
    """bool [A]"""
    found: Moves
    """int32 [A + 1], legal actions; `list_moves` writes one place too far."""
    random: NDArray[np.uint64]
    """[1] the state of the random numbers, those of SplitMix64 (Steele, Lea and Flood 2014)."""


def empty_tree(game: Game, simulations: int) -> Tree:
    """Memory for searches of at most this many simulations."""
    return Tree(
        nodes=np.zeros(simulations + 1, NODE),
        states=np.zeros((simulations + 1, game.state_words), np.uint64),
        state=np.zeros(game.state_words, np.uint64),
        mask=np.zeros(game.num_actions, np.bool_),
        found=np.zeros(game.num_actions + 1, np.int32),
        random=np.zeros(1, np.uint64),
    )


def choose_all(
    tree: Tree,
    states: State,
    seeds: NDArray[np.uint64],
    simulations: int,
    max_plies: int,
    actions: NDArray[np.int64],
) -> None:
    """Write a move in each of the unfinished positions `states` [R, S] to `actions` [R]; `seeds` [R].

    A playout that isn't over after `max_plies` moves is a draw.
    """
    for row in range(len(states)):
        tree.random[0] = seeds[row]
        actions[row] = choose(tree, states[row], simulations, max_plies)


def choose(tree: Tree, state: State, simulations: int, max_plies: int) -> int:
    """The move that is proven to win, else the most visited one of those that aren't proven to lose, if there are any.

    Between moves of equally many visits the better mean decides, then the one tried first.
    """
    root = tree.nodes[0]
    for word in range(len(state)):
        tree.states[0, word] = state[word]
    root.parent = NO_NODE
    used = 0
    used = add_node(tree, used, tree.states[0], int(NO_NODE), int(NO_NODE))
    if root.untried == 1:
        return int(tree.found[0])
    for _ in range(simulations):
        if root.winner != OPEN:
            break
        used = simulate(tree, used, max_plies)
    best = child = int(root.first_child)
    while child != NO_NODE:
        if is_better(tree, child, best):
            best = child
        child = int(tree.nodes[child].sibling)
    return int(tree.nodes[best].action)


def is_better(tree: Tree, one: int, other: int) -> bool:
    """Whether the root's child `one` is the better move. Later ones are first in the list of children, and win ties less."""
    mover = tree.nodes[0].mover
    first, second = tree.nodes[one], tree.nodes[other]
    first_worth, second_worth = exact_worth(first.winner, mover), exact_worth(second.winner, mover)
    if first_worth != second_worth:
        return first_worth > second_worth
    if first.visits != second.visits:
        return bool(first.visits > second.visits)
    return bool(first.total >= second.total)


def exact_worth(winner: int, player: int) -> float:
    """What a result is worth for a player; 0 if there is none yet."""
    if winner in (OPEN, DRAW):
        return 0.0
    return 1.0 if winner == player else -1.0


def simulate(tree: Tree, used: int, max_plies: int) -> int:
    """One simulation. Returns the number of nodes in use after it."""
    at = 0
    while tree.nodes[at].winner == OPEN and tree.nodes[at].untried == 0:
        at = best_child(tree, at)
    if tree.nodes[at].winner == OPEN:
        action = untried_move(tree, at)
        parent = at
        for word in range(len(tree.state)):
            tree.state[word] = tree.states[parent, word]
        own.play(tree.state, action)
        for word in range(len(tree.state)):
            tree.states[used, word] = tree.state[word]
        at = used
        used = add_node(tree, used, tree.state, parent, action)
        if tree.nodes[at].winner == OPEN:
            back_up(tree, at, playout(tree, max_plies))
            return used
        prove(tree, parent)
    back_up(tree, at, int(tree.nodes[at].winner))
    return used


def add_node(tree: Tree, used: int, state: State, parent: int, action: int) -> int:
    """Append the node of a position; returns the number of nodes in use after it. Leaves the legal moves in `found`."""
    node = tree.nodes[used]
    node.total = 0.0
    node.visits = 0
    node.parent = parent
    node.first_child = NO_NODE
    node.action = action
    node.mover = int(state[MOVER])
    node.winner = int(state[WINNER])
    node.untried = list_moves(tree, state) if state[WINNER] == OPEN else 0
    if parent != NO_NODE:
        node.sibling = tree.nodes[parent].first_child
        tree.nodes[parent].first_child = used
        tree.nodes[parent].untried -= 1
    return used + 1


def list_moves(tree: Tree, state: State) -> int:
    """Write the legal actions to `found`, ascending; returns how many there are, at most MOST_MOVES."""
    if HAS_MOVES:
        return min(int(np.int64(own.moves(state, tree.found))), MOST_MOVES)
    own.legal(state, tree.mask)
    count = 0
    for action in range(NUM_ACTIONS):  # without a branch: what is not legal is overwritten by the next
        tree.found[count] = action
        count += tree.mask[action]
    if MOST_MOVES < NUM_ACTIONS:
        count = min(count, MOST_MOVES)
    return count


def untried_move(tree: Tree, index: int) -> int:
    """A legal move without a node, each with the same chance."""
    count = list_moves(tree, tree.states[index])
    for place in range(count):
        tree.mask[tree.found[place]] = True
    child = int(tree.nodes[index].first_child)
    while child != NO_NODE:
        tree.mask[tree.nodes[child].action] = False
        child = int(tree.nodes[child].sibling)
    left = below(tree, tree.nodes[index].untried)
    for place in range(count):
        action = int(tree.found[place])
        if tree.mask[action]:
            if left == 0:
                return action
            left -= 1
    return int(NO_NODE)  # not reached


def best_child(tree: Tree, index: int) -> int:
    """The child with the largest upper bound. All have been visited."""
    node = tree.nodes[index]
    log_visits = math.log(float(node.visits))
    best, highest = int(NO_NODE), -math.inf
    child = int(node.first_child)
    while child != NO_NODE:
        other = tree.nodes[child]
        if other.winner == OPEN:
            bound = other.total / other.visits + EXPLORATION * math.sqrt(log_visits / other.visits)
        else:
            bound = exact_worth(other.winner, node.mover)
        if bound > highest:
            best, highest = child, bound
        child = int(other.sibling)
    return best


def playout(tree: Tree, max_plies: int) -> int:
    """Play random moves from `tree.state`; returns the winner, or DRAW after `max_plies` moves."""
    state = tree.state
    for _ in range(max_plies):
        own.play(state, int(tree.found[below(tree, list_moves(tree, state))]))
        if state[WINNER] != OPEN:
            return int(state[WINNER])
    return int(DRAW)


def back_up(tree: Tree, index: int, winner: int) -> None:
    """Count a result at a node and all above it, each for the player who moved there."""
    while index != NO_NODE:
        node = tree.nodes[index]
        node.visits += 1
        if node.parent != NO_NODE:
            node.total += exact_worth(winner, tree.nodes[node.parent].mover)
        index = int(node.parent)


def prove(tree: Tree, index: int) -> None:
    """Decide a node, and then those above it, if the results of its moves are enough for that."""
    while index != NO_NODE:
        node = tree.nodes[index]
        worst_is_loss, decided, won = True, node.untried == 0, False
        child = int(node.first_child)
        while child != NO_NODE:
            winner = tree.nodes[child].winner
            decided &= winner != OPEN
            won |= winner == node.mover
            worst_is_loss &= winner != DRAW
            child = int(tree.nodes[child].sibling)
        if won:
            node.winner = node.mover
        elif decided:
            node.winner = 3 - node.mover if worst_is_loss else DRAW
        else:
            return
        index = int(node.parent)


def below(tree: Tree, count: int) -> int:
    """A random number from 0 to count - 1."""
    tree.random[0] += splitmix.STEP
    word = splitmix.mixed(tree.random[0])
    return np.int64(((word >> HALF) * np.uint64(count)) >> HALF)  # type: ignore[return-value]
