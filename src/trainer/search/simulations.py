"""Kernels of simulations, from the root to a leaf and back, for many trees in lockstep. G slots, A actions.

A simulation walks from the root to a leaf, has the leaf evaluated, gives it its edges, and brings the values on the path up
to date. `descend` does the first part in every slot, `expand` the rest; in between, the caller evaluates all leaves as one
batch. A leaf that is proven, or whose evaluation is in the cache, needs no row of the batch: its simulation is completed at
once, and the next one begins.

Compiled for each game by `trainer.games.kernels`, which binds `rules`, `rows` and the other kernels of the search.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Mask, Rules
from trainer.search.cache import MISSING, Cache
from trainer.search.selection import Selection
from trainer.search.tree import DRAWN, LOSS, NO_NODE, UNKNOWN, WIN, Tree

rules: Rules
rows: ModuleType
policies: ModuleType
cache: ModuleType
tree: ModuleType
transpositions: ModuleType
proofs: ModuleType
forced: ModuleType
backup: ModuleType
priors: ModuleType
puct: ModuleType
gumbel: ModuleType
NUM_ACTIONS: int
FEW_LEGAL: bool
SUDDEN_WINS: bool
FORCED_WINS: bool

INLINED = True

ROOT = 0  # int(ROOT) has the type of any number; Numba would compile a function once more for a literal


def descend(
    trees: Tree, selection: Selection, evaluations: Cache, observation: NDArray[np.float32], legal: Mask
) -> tuple[int, int]:
    """Walk to a leaf that needs an evaluation in every slot that has budget.

    Writes the leaves to the first rows of `observation` [G, obs_size] and `legal` [G, A], in the order of the slots. Leaves
    that need none, because they are proven or in the cache, are backed up at once. Returns the numbers of waiting leaves
    and of simulations that were completed.
    """
    waiting = done = 0
    for slot in range(len(trees.budget)):
        while trees.budget[slot] > 0:
            index = walk(trees, slot, selection)
            node = trees.nodes[slot, index]
            if node.proven == UNKNOWN:
                found = cache.find(evaluations, trees.state)
                if found == MISSING:
                    rows.write_observation(trees.state, trees.board, trees.mask, observation, waiting)
                    for action in range(NUM_ACTIONS):
                        legal[waiting, action] = trees.mask[action]
                    trees.leaf[slot], trees.row[slot] = index, waiting
                    waiting += 1
                    break
                entry = evaluations.entries[found]
                if FEW_LEGAL:
                    policies.unpack(entry.prior, trees.mask, evaluations.prior)
                    complete(trees, selection, slot, index, trees.mask, evaluations.prior, entry.value)
                else:
                    complete(trees, selection, slot, index, trees.mask, entry.prior, entry.value)
            else:
                trees.budget[slot] -= 1
                backup.back_up(trees, slot, index, proofs.exact(node.proven))
            done += 1
    return waiting, done


def walk(trees: Tree, slot: int, selection: Selection) -> int:
    """Follow the selected edges to a leaf, a node that is new or proven; returns its index.

    If it isn't proven, its position is left in `trees.state` and its legal actions in `trees.mask`.
    """
    index = int(ROOT)
    while True:
        node = trees.nodes[slot, index]
        if index != 0 and node.proven != UNKNOWN:
            return index
        if node.num_edges == 0:  # the root of a search that has just begun
            for word in range(len(trees.state)):
                trees.state[word] = trees.states[slot, index, word]
            rules.legal(trees.state, trees.mask, trees.found)
            return index
        edge = next_edge(trees, slot, index, selection)
        child = int(trees.edges[slot, edge].node)
        if child == NO_NODE:
            child = enter(trees, slot, index, edge)
        reached = trees.nodes[slot, child]
        reached.parent = index
        reached.edge = edge
        if reached.visits == 0:  # it is new
            return child
        index = child


def next_edge(trees: Tree, slot: int, index: int, selection: Selection) -> int:
    """The edge that a simulation takes from a node. A root's first one is a move that wins at once, if there is any."""
    if index == 0:
        if SUDDEN_WINS and trees.nodes[slot, 0].num_visited == 0:
            winning = winning_edge(trees, slot)
            if winning != NO_NODE:
                return winning
        if trees.gumbel[slot]:
            return int(gumbel.halved_edge(trees, slot, selection))
    return int(puct.best_edge(trees, slot, index, selection))


def winning_edge(trees: Tree, slot: int) -> int:
    """The root's edge that wins at once, brought to the first place; of several the one with the largest prior.

    NO_NODE if there is none. Without this a search could overlook a win that the network doesn't see, where many moves are
    legal.
    """
    state, after = trees.state, trees.ahead[0]
    for word in range(len(state)):
        state[word] = trees.states[slot, 0, word]
    rules.legal(state, trees.mask, trees.found)
    if not rules.wins_next(state, trees.mask):
        return NO_NODE
    root = trees.nodes[slot, 0]
    best, best_prior = NO_NODE, np.float32(-1.0)
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        prior = tree.prior_of(trees, slot, at)
        if prior <= best_prior:
            continue
        for word in range(len(state)):
            after[word] = state[word]
        rules.play(after, int(trees.edges[slot, at].action))
        if after[WINNER] == state[MOVER]:
            best, best_prior = at, prior
    if best == NO_NODE:
        return NO_NODE
    tree.exchange(trees, slot, int(root.first_edge), best)
    return int(root.first_edge)


def enter(trees: Tree, slot: int, index: int, edge: int) -> int:
    """Visit an edge for the first time; returns the node at its end, which is new unless another way led there before.

    A new node is proven if the game is over there or won by the next move, and right behind the root, if the game has
    `forced_wins`, also if it is won by force within three plies. Its position is left in `trees.state`, and its legal
    actions in `trees.mask` unless the game is over.
    """
    state = trees.state
    for word in range(len(state)):
        state[word] = trees.states[slot, index, word]
    move, parent = trees.edges[slot, edge], trees.nodes[slot, index]
    rules.play(state, int(move.action))
    depth = int(parent.depth) + 1
    found, place = transpositions.find(trees, slot, state, depth, int(parent.mover))
    child = found if found != NO_NODE else int(tree.add_node(trees, slot, int(state[MOVER]), int(parent.mover), depth))
    move.node = child
    move.q = 0.0
    parent.visited_prior += move.u
    parent.num_visited += 1
    tree.bring_best_forward(trees, slot, index)
    if found != NO_NODE:
        return child
    trees.node_table[slot, place] = child + 1
    for word in range(len(state)):
        trees.states[slot, child, word] = state[word]
    winner = int(state[WINNER])
    if winner == OPEN:
        rules.legal(state, trees.mask, trees.found)
        if SUDDEN_WINS and rules.wins_next(state, trees.mask):
            winner = int(state[MOVER])
        if FORCED_WINS and winner == OPEN and depth == 1 and forced.wins_in_three(trees):
            winner = int(state[MOVER])
    if winner == DRAW:
        trees.nodes[slot, child].proven = DRAWN
    elif winner != OPEN:
        trees.nodes[slot, child].proven = WIN if winner == parent.mover else LOSS
    return child


def expand(
    trees: Tree,
    selection: Selection,
    evaluations: Cache,
    legal: Mask,
    prior: NDArray[np.float32],
    value: NDArray[np.float32],
) -> int:
    """Complete the simulation of every waiting leaf and store its evaluation in the cache; returns how many there were.

    `legal` [G, A] as `descend` wrote it, `prior` [B, A] sums to 1 over it, `value` [B] is the mover's, in [-1, 1].
    """
    done = 0
    for slot in range(len(trees.budget)):
        index, row = trees.leaf[slot], trees.row[slot]
        if index != NO_NODE:
            trees.leaf[slot] = NO_NODE
            cache.store(evaluations, trees.states[slot, index], legal[row], prior[row], value[row])
            complete(trees, selection, slot, index, legal[row], prior[row], value[row])
            done += 1
    return done


def complete(
    trees: Tree,
    selection: Selection,
    slot: int,
    index: int,
    legal: Mask,
    prior: NDArray[np.float32],
    value: np.float32,
) -> None:
    """End a simulation: give the leaf its edges and back up its value. `legal`, `prior` [A]; `value` is the mover's."""
    trees.budget[slot] -= 1
    node = trees.nodes[slot, index]
    tree.add_edges(trees, slot, index, legal, prior)
    if selection.policy_temperature != 1.0:
        priors.soften(trees, slot, index, selection.policy_temperature)
    if index == 0:
        trees.root_value[slot] = value
        if not trees.gumbel[slot]:
            priors.mix_noise(trees, slot, selection.noise_fraction)
    tree.bring_best_forward(trees, slot, index)
    signed = value if node.chooser == node.mover else -value
    backup.back_up(trees, slot, index, signed)
