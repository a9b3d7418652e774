"""Kernels of a Gumbel search's root: which move is visited next, and what the search answers.

From "Policy improvement by planning with Gumbel" (Danihelka, Guez, Schrittwieser and Silver 2022), called the paper below.
g is the Gumbel noise of a move, P its prior, Q its value, N its visits. A move that was never visited has a Q, too.

Compiled for each game by `trainer.games.kernels`, which binds `tree` and `proofs`.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from trainer.search.selection import Selection
from trainer.search.tree import DRAWN, LOSS, NO_NODE, UNKNOWN, WIN, Tree

tree: ModuleType
proofs: ModuleType
NUM_ACTIONS: int

INLINED = True


def halved_edge(trees: Tree, slot: int, selection: Selection) -> int:
    """The root's edge that sequential halving visits next (the paper's section 3).

    Among the moves that were visited as often as the schedule says, it is the one with the largest g + log P + sigma(Q).
    Moves that are proven losses drop out; if the schedule then has none left, the best of the other moves is visited.
    """
    root = trees.nodes[slot, 0]
    considered = min(len(selection.halving) - 1, int(root.num_edges))
    wanted = selection.halving[considered, root.visits - 1]
    sigma = sigma_of(selection, most_visits(trees, slot))
    same = np.float32(0.0)  # where none was visited, all have the same Q
    best, best_score = NO_NODE, np.float32(-np.inf)
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        if tree.visits_of(trees, slot, at) == wanted and proofs.proven_of(trees, slot, at) != LOSS:
            score = gumbel_score(trees, slot, at, sigma, same)
            if best == NO_NODE or score > best_score:
                best, best_score = at, score
    if best == NO_NODE:
        best = best_of_all(trees, slot, sigma)
    if trees.edges[slot, best].node == NO_NODE:
        first = root.first_edge + root.num_visited
        tree.exchange(trees, slot, first, best)
        best = int(first)
    return int(best)


def best_of_all(trees: Tree, slot: int, sigma: np.float32) -> int:
    """The root's edge with the largest g + log P + sigma(Q) that isn't a proven loss; the first one if all are."""
    root = trees.nodes[slot, 0]
    mixed = mixed_value(trees, slot)
    best, best_score = int(root.first_edge), np.float32(-np.inf)
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        if proofs.proven_of(trees, slot, at) != LOSS:
            score = gumbel_score(trees, slot, at, sigma, mixed)
            if score > best_score:
                best, best_score = at, score
    return best


def sigma_of(selection: Selection, most: int) -> np.float32:
    """The weight of a value against a logit: (50 + max N) scale (the paper's equation 8). `most`: max N."""
    return np.float32(selection.value_scale) * np.float32(50 + most)


def most_visits(trees: Tree, slot: int) -> int:
    """The visits of the root's most visited move."""
    root = trees.nodes[slot, 0]
    most = 0
    for at in range(root.first_edge, root.first_edge + root.num_visited):
        most = max(most, tree.visits_of(trees, slot, at))
    return most


def mixed_value(trees: Tree, slot: int) -> np.float32:
    """What a move of the root that was never visited counts as (the paper's appendix D).

    It estimates the value of playing by the priors: from the visited moves, weighted by their priors, and from the root's
    own evaluation, which counts as much as one visit.
    """
    root = trees.nodes[slot, 0]
    priors = values = np.float32(0.0)
    visits = 0
    for at in range(root.first_edge, root.first_edge + root.num_visited):
        prior = tree.prior_of(trees, slot, at)
        priors += prior
        values += prior * visited_q(trees, slot, at)
        visits += tree.visits_of(trees, slot, at)
    if visits == 0:
        return np.float32(trees.root_value[slot])
    return np.float32((trees.root_value[slot] + np.float32(visits) * values / priors) / np.float32(1 + visits))


def gumbel_score(trees: Tree, slot: int, edge: int, sigma: np.float32, mixed: np.float32) -> np.float32:
    """g + log P + sigma Q of a move of the root."""
    return np.float32(
        trees.noise[slot, trees.edges[slot, edge].action] + improved_logit(trees, slot, edge, sigma, mixed)
    )


def improved_logit(trees: Tree, slot: int, edge: int, sigma: np.float32, mixed: np.float32) -> np.float32:
    """log P + sigma Q of a move of the root."""
    return np.float32(np.log(tree.prior_of(trees, slot, edge)) + sigma * root_q(trees, slot, edge, mixed))


def root_q(trees: Tree, slot: int, edge: int, mixed: np.float32) -> np.float32:
    """Q of a move of the root; `mixed` if the move was never visited."""
    return mixed if trees.edges[slot, edge].node == NO_NODE else visited_q(trees, slot, edge)


def visited_q(trees: Tree, slot: int, edge: int) -> np.float32:
    """Q of a move of the root that was visited."""
    proven = proofs.proven_of(trees, slot, edge)
    return np.float32(trees.edges[slot, edge].q if proven == UNKNOWN else proofs.exact(proven))


def answer_all(
    trees: Tree,
    selection: Selection,
    policies: NDArray[np.float32],
    values: NDArray[np.float32],
    actions: NDArray[np.int32],
) -> None:
    """`answer` of the first R slots: `policies` [R, A], `values` and `actions` [R]."""
    for row in range(len(values)):
        values[row], actions[row] = answer(trees, row, selection, policies[row])


def answer(trees: Tree, slot: int, selection: Selection, policy: NDArray[np.float32]) -> tuple[np.float32, int]:
    """Write the improved policy [A]; returns the value for the player to move, and the move to make.

    The policy is the softmax of log P + sigma Q (the paper's equation 11), the value is the mean of Q under it. Proven wins
    share everything if there are any; proven losses get nothing unless all moves lose. The move is the best by
    g + log P + sigma Q of the most visited ones; a proven draw counts as one of them, because visits would tell no more.
    """
    root = trees.nodes[slot, 0]
    for action in range(NUM_ACTIONS):
        policy[action] = 0.0
    last = root.first_edge + root.num_edges
    most, mixed = most_visits(trees, slot), mixed_value(trees, slot)
    sigma = sigma_of(selection, most)
    best, lost = proofs.proven_at_root(trees, slot)
    largest = np.float32(-np.inf)
    for at in range(root.first_edge, last):
        if proofs.is_candidate(trees, slot, at, best, lost):
            largest = max(largest, improved_logit(trees, slot, at, sigma, mixed))
    total = mean = np.float32(0.0)
    choice, choice_visits, choice_score = 0, -1, np.float32(-np.inf)
    for at in range(root.first_edge, last):
        if not proofs.is_candidate(trees, slot, at, best, lost):
            continue
        action = trees.edges[slot, at].action
        logit = improved_logit(trees, slot, at, sigma, mixed)
        share = np.exp(logit - largest)
        policy[action] = share
        total += share
        mean += share * root_q(trees, slot, at, mixed)
        is_draw = proofs.proven_of(trees, slot, at) == DRAWN
        visits, score = (
            (most if is_draw else tree.visits_of(trees, slot, at)),
            gumbel_score(trees, slot, at, sigma, mixed),
        )
        if visits > choice_visits or (visits == choice_visits and score > choice_score):
            choice, choice_visits, choice_score = int(action), visits, score
    if total == 0:  # a finished game has no moves
        return np.float32(0.0), choice
    for action in range(NUM_ACTIONS):
        policy[action] /= total
    value = proofs.exact(WIN + LOSS - root.proven) if root.proven != UNKNOWN else mean / total
    return value, choice


def halving(considered: int, simulations: int) -> list[int]:
    """The schedule of sequential halving (Karnin, Koren and Somekh 2013).

    For each simulation: how many visits the move that it visits already has. All moves that are considered are visited
    equally often, then the better half of them, and so on down to two. Every phase gets about the same share of the
    simulations.
    """
    visited: list[int] = []
    phases, left, each = max(1, math.ceil(math.log2(max(considered, 1)))), max(considered, 1), 0
    while len(visited) < simulations:
        for _ in range(max(1, simulations // (phases * left))):
            visited += [each] * left
            each += 1
        left = max(2, left // 2) if considered > 1 else 1
    return visited[:simulations]
