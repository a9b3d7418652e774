"""Kernels of the search: many trees in lockstep, one a slot. G slots, N nodes a tree, S state words, A actions.

A simulation walks down from the root by PUCT to a leaf, has the leaf evaluated, adds its children, and adds the value to
every node on the way back. `descend` does the first part for every slot, `expand` the last; between them the caller
evaluates all leaves as one batch. A leaf that is proven, or whose evaluation is in the cache, needs no row of the batch: its
simulation is completed on the spot, and the next one begins.

A node is a position that was visited, an edge a move from it that may not have been. The player who made the move to a
node is its *chooser*: `value_sum`, `proven` and an edge's `q` are the chooser's, so that a node compares its edges without
changing signs. The edges of a node are neighbours: first those that were visited, then the one with the largest prior of
those that were not, then the rest. The others can't be better than that one, so a comparison ends there.

Finished games are proven, and where the rules look for a win at once so is a position that has one. A node is proven when
one of its edges leads to a proven win for the player to move there, or when all of them lead to proven nodes (MCTS-Solver:
Winands, Bjornsson and Saito, 2008).

Compiled per game by `trainer.compile.linker`, which binds `rules`, `rows`, `cache` and the sizes.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Board, Mask, Rules, State
from trainer.search.cache import MISSING, Cache

rules: Rules
rows: ModuleType
cache: ModuleType
NUM_ACTIONS: int
SUDDEN_WINS: bool

INLINED = True

UNKNOWN, LOSS, DRAWN, WIN = 0, 1, 2, 3  # what is proven of a node, for its chooser; a larger one is better
NOBODY = -1  # no leaf waits in this slot; no node is at the end of this edge
ROOT = 0  # int(ROOT) has the type of any number; Numba compiles a function anew for a constant
TINY = np.float32(1e-30)  # in place of a prior of zero, where something has to be played
AVOIDED = np.float32(-1e6)  # q of an edge that is proven to lose

NODE = np.dtype(
    [
        ("value_sum", np.float32),  # for the chooser
        ("visits", np.int32),
        ("visited_prior", np.float32),  # sum of the priors of the edges that were visited
        ("prior", np.float32),  # of the edge to this node
        ("parent", np.int32),
        ("edge", np.int32),  # the edge to this node
        ("first_edge", np.int32),
        ("num_edges", np.int16),
        ("num_visited", np.int16),  # edges that were visited
        ("proven", np.int8),  # for the chooser
        ("mover", np.int8),  # player to move
        ("chooser", np.int8),  # player who moved here; at the root, the opponent of the player to move
    ],
    align=True,
)
EDGE = np.dtype(
    [
        ("q", np.float32),  # mean value for the mover
        ("u", np.float32),  # prior / (1 + visits)
        ("node", np.int32),  # at its end, or NOBODY
        ("action", np.int32),
    ],
    align=True,
)


class Tree(NamedTuple):
    """Memory of G trees. N nodes, E edges each."""

    nodes: NDArray[Any]
    """NODE [G, N]; node 0 is the root."""
    states: State
    """uint64 [G, N, S]"""
    edges: NDArray[Any]
    """EDGE [G, E]"""
    used_nodes: NDArray[np.int32]
    """[G]"""
    used_edges: NDArray[np.int32]
    """[G]"""
    leaf: NDArray[np.int64]
    """[G] the node that waits for its evaluation, or NOBODY."""
    row: NDArray[np.int32]
    """[G] where its answer will stand in the batch."""
    budget: NDArray[np.int32]
    """[G] simulations still to do; the root's own evaluation counts as one."""
    noise: NDArray[np.float32]
    """[G, A] the root's noise: gamma variates, all zero for none; Gumbel variates where `gumbel` is set."""
    gumbel: Mask
    """[G] the search is a Gumbel search: its root's moves are visited by sequential halving."""
    state: State
    """uint64 [S], the position at hand."""
    board: Board
    """uint8 [cells], its cells."""
    mask: Mask
    """bool [A], its legal actions."""


class Selection(NamedTuple):
    """The constants of PUCT and of Gumbel's root. M moves considered at most, N simulations."""

    c_puct: float
    fpu_reduction: float
    policy_temperature: float
    noise_fraction: float
    value_scale: float
    halving: NDArray[np.int32]
    """[M + 1, N + 1] of m moves considered, how often the move that simulation n visits has been visited before."""


def begin(tree: Tree, slot: int, state: State, simulations: int, gumbel: bool) -> None:
    """Start a search from `state` [S]: an empty tree whose root waits to be evaluated."""
    tree.gumbel[slot] = gumbel
    for word in range(len(state)):
        tree.states[slot, 0, word] = state[word]
    tree.used_nodes[slot] = 0
    tree.used_edges[slot] = 0
    mover = int(state[MOVER])
    add_node(tree, slot, int(NOBODY), int(NOBODY), np.float32(1.0), mover, 3 - mover)
    tree.leaf[slot] = NOBODY
    tree.budget[slot] = simulations + 1 if state[WINNER] == OPEN else 0


def add_node(tree: Tree, slot: int, parent: int, edge: int, prior: np.float32, mover: int, chooser: int) -> int:
    """Append a node that nobody has visited; returns its index."""
    index = tree.used_nodes[slot]
    tree.used_nodes[slot] = index + 1
    node = tree.nodes[slot, index]
    node.value_sum = 0.0
    node.visits = 0
    node.visited_prior = 0.0
    node.prior = prior
    node.parent = parent
    node.edge = edge
    node.first_edge = 0
    node.num_edges = 0
    node.num_visited = 0
    node.proven = UNKNOWN
    node.mover = mover
    node.chooser = chooser
    return int(index)


def descend(
    tree: Tree, selection: Selection, known: Cache, observation: NDArray[np.float32], legal: Mask
) -> tuple[int, int]:
    """Walk every slot that has budget to a leaf that needs an evaluation.

    Writes the leaves' rows of `observation` [G, obs_size] and `legal` [G, A], from the first row on and in the order of
    the slots. Leaves that need none, for they are proven or `known`, are backed up at once. Returns the number of leaves
    that wait and of simulations done on the way.
    """
    waiting = done = 0
    for slot in range(len(tree.budget)):
        while tree.budget[slot] > 0:
            index = walk(tree, slot, selection)
            node = tree.nodes[slot, index]
            if node.proven == UNKNOWN:
                found = cache.find(known, tree.state)
                if found == MISSING:
                    rules.cells(tree.state, tree.board)
                    rows.write_observation(tree.board, tree.mask, node.mover, observation, waiting)
                    for action in range(NUM_ACTIONS):
                        legal[waiting, action] = tree.mask[action]
                    tree.leaf[slot], tree.row[slot] = index, waiting
                    waiting += 1
                    break
                entry = known.entries[found]
                complete(tree, selection, slot, index, tree.mask, entry.prior, entry.value)
            else:
                tree.budget[slot] -= 1
                back_up(tree, slot, index, exact(node.proven), node.visits == 0)
            done += 1
    return waiting, done


def walk(tree: Tree, slot: int, selection: Selection) -> int:
    """The leaf that PUCT leads to: a node that is new, or proven.

    The position of one that is not proven is left in `tree.state`, its legal actions in `tree.mask`.
    """
    index = int(ROOT)
    while True:
        node = tree.nodes[slot, index]
        if index != 0 and node.proven != UNKNOWN:
            return index
        if node.num_edges == 0:  # the root of a search that has just begun
            for word in range(len(tree.state)):
                tree.state[word] = tree.states[slot, index, word]
            rules.legal(tree.state, tree.mask)
            return index
        if index == 0 and tree.gumbel[slot]:
            edge = halved_edge(tree, slot, selection)
        else:
            edge = best_edge(tree, slot, index, selection)
        child = tree.edges[slot, edge].node
        if child == NOBODY:
            return enter(tree, slot, index, edge)
        index = int(child)


def best_edge(tree: Tree, slot: int, index: int, selection: Selection) -> int:
    """The edge with the largest Q + c P sqrt(N) / (1 + n) (AlphaZero's PUCT; Silver et al. 2017).

    Where nobody was yet, Q is the node's own value minus `fpu_reduction` sqrt(sum of visited priors) (KataGo; Wu 2019).
    """
    node = tree.nodes[slot, index]
    exploration = np.float32(selection.c_puct) * np.sqrt(np.float32(node.visits))
    last = node.first_edge + node.num_visited
    best, best_score = int(last), np.float32(-1e9)
    if node.num_visited < node.num_edges:
        q = value_of(tree, slot, index) - np.float32(selection.fpu_reduction) * np.sqrt(node.visited_prior)
        best_score = q + exploration * tree.edges[slot, last].u
    for at in range(node.first_edge, last):
        edge = tree.edges[slot, at]
        score = edge.q + exploration * edge.u
        best = at if score > best_score else best
        best_score = max(best_score, score)
    return best


def value_of(tree: Tree, slot: int, index: int) -> np.float32:
    """The mean value of a node for the player to move there; 0 before the first visit."""
    node = tree.nodes[slot, index]
    if node.visits == 0:
        return np.float32(0.0)
    mean = np.float32(node.value_sum / np.float32(node.visits))
    return mean if node.chooser == node.mover else -mean


def exact(proven: int) -> np.float32:
    """The value of what is proven: WIN +1, DRAWN 0, LOSS -1."""
    return np.float32(proven - DRAWN)


def enter(tree: Tree, slot: int, index: int, edge: int) -> int:
    """First visit along an edge: adds the node, proven where the game is over or won by the next move.

    Leaves its position in `tree.state`, and its legal actions in `tree.mask` while the game goes on.
    """
    state = tree.state
    for word in range(len(state)):
        state[word] = tree.states[slot, index, word]
    move, parent = tree.edges[slot, edge], tree.nodes[slot, index]
    rules.play(state, int(move.action))
    prior = tree.edges[slot, edge].u
    child = add_node(tree, slot, index, edge, prior, int(state[MOVER]), parent.mover)
    for word in range(len(state)):
        tree.states[slot, child, word] = state[word]
    move.node = child
    parent.visited_prior += prior
    parent.num_visited += 1
    bring_best_forward(tree, slot, index)
    winner = int(state[WINNER])
    if winner == OPEN:
        rules.legal(state, tree.mask)
        if SUDDEN_WINS and rules.wins_next(state, tree.mask):
            winner = int(state[MOVER])
    if winner == DRAW:
        tree.nodes[slot, child].proven = DRAWN
    elif winner != OPEN:
        tree.nodes[slot, child].proven = WIN if winner == parent.mover else LOSS
    return child


def expand(
    tree: Tree,
    selection: Selection,
    known: Cache,
    legal: Mask,
    prior: NDArray[np.float32],
    value: NDArray[np.float32],
) -> int:
    """Complete the simulation of every waiting leaf, and make its evaluation known; returns how many there were.

    `legal` [G, A] as `descend` wrote it, `prior` [B, A] sums to 1 over it, `value` [B] is the mover's, in [-1, 1].
    """
    done = 0
    for slot in range(len(tree.budget)):
        index, row = tree.leaf[slot], tree.row[slot]
        if index != NOBODY:
            tree.leaf[slot] = NOBODY
            cache.store(known, tree.states[slot, index], prior[row], value[row])
            complete(tree, selection, slot, index, legal[row], prior[row], value[row])
            done += 1
    return done


def complete(
    tree: Tree,
    selection: Selection,
    slot: int,
    index: int,
    legal: Mask,
    prior: NDArray[np.float32],
    value: np.float32,
) -> None:
    """The end of a simulation: give the leaf its edges and back up its value. `legal`, `prior` [A], `value` the mover's."""
    tree.budget[slot] -= 1
    node = tree.nodes[slot, index]
    at = tree.used_edges[slot]
    node.first_edge = at
    for action in range(NUM_ACTIONS):  # without a branch: what is not legal is written over by the next
        edge = tree.edges[slot, at]
        edge.u = prior[action]
        edge.node = NOBODY
        edge.action = action
        at += legal[action]
    node.num_edges = at - node.first_edge
    tree.used_edges[slot] = at
    if selection.policy_temperature != 1.0:
        soften(tree, slot, index, selection.policy_temperature)
    if index == 0 and not tree.gumbel[slot]:
        mix_noise(tree, slot, selection.noise_fraction)
    bring_best_forward(tree, slot, index)
    back_up(tree, slot, index, value if node.chooser == node.mover else -value, node.proven != UNKNOWN)


def soften(tree: Tree, slot: int, index: int, temperature: float) -> None:
    """Raise the priors of a node that is new to the power of 1 / `temperature`, and let them sum to 1 again."""
    node = tree.nodes[slot, index]
    total = np.float32(0.0)
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        edge = tree.edges[slot, at]
        edge.u = edge.u ** np.float32(1.0 / temperature)
        total += edge.u
    if total > 0:
        for at in range(node.first_edge, node.first_edge + node.num_edges):
            tree.edges[slot, at].u /= total


def bring_best_forward(tree: Tree, slot: int, index: int) -> None:
    """Put the edge with the largest prior first among those of a node that were not visited."""
    node = tree.nodes[slot, index]
    first, last = node.first_edge + node.num_visited, node.first_edge + node.num_edges
    best = first
    for at in range(first, last):
        if tree.edges[slot, at].u > tree.edges[slot, best].u:
            best = at
    exchange(tree, slot, first, best)


def exchange(tree: Tree, slot: int, one: int, other: int) -> None:
    """Let two edges that were not visited change places."""
    if one != other:
        here, there = tree.edges[slot, one], tree.edges[slot, other]
        here.action, there.action = there.action, here.action
        prior = tree.edges[slot, one].u
        tree.edges[slot, one].u = tree.edges[slot, other].u
        tree.edges[slot, other].u = prior


def mix_noise(tree: Tree, slot: int, fraction: float) -> None:
    """Mix Dirichlet noise into the root's priors (AlphaZero, Silver et al. 2017).

    Independent gamma variates divided by their sum over the legal actions are a Dirichlet sample over those.
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


def back_up(tree: Tree, slot: int, index: int, value: np.float32, proved: bool) -> None:
    """Add `value` (for the chooser of `index`) to the node and all above it; `proved`: this node has just been proven.

    A proof goes up as far as it reaches, and its exact value with it. When it reaches the root the search is over.
    """
    add_visit(tree, slot, index, value)
    while index != 0:
        index = int(tree.nodes[slot, index].parent)
        parent = tree.nodes[slot, index]
        same = parent.chooser == parent.mover
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
        add_visit(tree, slot, index, value)
    if tree.nodes[slot, 0].proven != UNKNOWN:
        tree.budget[slot] = 0


def add_visit(tree: Tree, slot: int, index: int, value: np.float32) -> None:
    """Count a visit of a node with `value` for its chooser, and bring the edge that leads to it up to date."""
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
        edge.q = exact(node.proven)
        edge.u = node.prior / np.float32(1 + node.visits)


def best_proven(tree: Tree, slot: int, index: int) -> int:
    """What the edges prove for the player to move at a node: WIN by one of them, else the best when all are proven."""
    node = tree.nodes[slot, index]
    best, complete = LOSS, True
    for at in range(node.first_edge, node.first_edge + node.num_edges):
        proven = proven_of(tree, slot, at)
        if proven == WIN:
            return WIN
        complete = complete and proven != UNKNOWN
        best = max(best, proven)
    return best if complete else UNKNOWN


def proven_of(tree: Tree, slot: int, edge: int) -> int:
    """What is proven of the node at the end of an edge."""
    child = tree.edges[slot, edge].node
    return UNKNOWN if child == NOBODY else int(tree.nodes[slot, child].proven)


def prior_of(tree: Tree, slot: int, edge: int) -> np.float32:
    """The prior of an edge: it is the edge's `u` until the first visit, and then stands in the node at its end."""
    child = tree.edges[slot, edge].node
    prior = tree.edges[slot, edge].u if child == NOBODY else tree.nodes[slot, child].prior
    return max(prior, TINY)


def visits_of(tree: Tree, slot: int, edge: int) -> int:
    """How often an edge was walked."""
    child = tree.edges[slot, edge].node
    return 0 if child == NOBODY else int(tree.nodes[slot, child].visits)


def answer(tree: Tree, slot: int, visits: NDArray[np.float32]) -> np.float32:
    """Write the share of visits of each action to `visits` [A]; returns the value for the player to move at the root.

    Moves proven to lose get nothing while there is another, and a proven win gets everything. Where nothing was visited
    (no budget, or only losing moves were) the priors stand in.
    """
    root = tree.nodes[slot, 0]
    for action in range(NUM_ACTIONS):
        visits[action] = 0.0
    last = root.first_edge + root.num_edges
    best, lost = proven_at_root(tree, slot)
    total = np.float32(0.0)
    for at in range(root.first_edge, last):
        if is_answer(tree, slot, at, best, lost):
            visits[tree.edges[slot, at].action] = visits_of(tree, slot, at)
            total += np.float32(visits_of(tree, slot, at))
    if total == 0:
        for at in range(root.first_edge, last):
            if is_answer(tree, slot, at, best, lost):
                share = prior_of(tree, slot, at)
                visits[tree.edges[slot, at].action] = share
                total += share
    if total > 0:
        for action in range(NUM_ACTIONS):
            visits[action] /= total
    if root.proven != UNKNOWN:
        return exact(WIN + LOSS - root.proven)
    return value_of(tree, slot, 0)


def halved_edge(tree: Tree, slot: int, selection: Selection) -> int:
    """The root's edge that sequential halving visits next (Danihelka, Guez, Schrittwieser and Silver 2022, section 3).

    Of the moves that have been visited as often as the schedule says, the one with the largest g + log P + sigma(Q). Moves
    that are proven lost drop out; where that leaves none, the best of the others is visited.
    """
    root = tree.nodes[slot, 0]
    considered = min(len(selection.halving) - 1, int(root.num_edges))
    wanted = selection.halving[considered, root.visits - 1]
    sigma = sigma_of(tree, slot, selection)
    best, best_score, fits = int(root.first_edge), np.float32(-np.inf), False
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        if proven_of(tree, slot, at) == LOSS:
            continue
        score = gumbel_score(tree, slot, at, sigma)
        due = visits_of(tree, slot, at) == wanted
        if (due and not fits) or (due == fits and score > best_score):
            best, best_score, fits = at, score, due
    if tree.edges[slot, best].node == NOBODY:
        first = root.first_edge + root.num_visited
        exchange(tree, slot, first, best)
        best = int(first)
    return best


def sigma_of(tree: Tree, slot: int, selection: Selection) -> np.float32:
    """The weight of a value against a logit: (50 + max N) scale (the same paper, equation 8)."""
    root = tree.nodes[slot, 0]
    most = 0
    for at in range(root.first_edge, root.first_edge + root.num_visited):
        most = max(most, visits_of(tree, slot, at))
    return np.float32(selection.value_scale) * np.float32(50 + most)


def gumbel_score(tree: Tree, slot: int, edge: int, sigma: np.float32) -> np.float32:
    """g + log P + sigma Q of a move of the root."""
    return np.float32(tree.noise[slot, tree.edges[slot, edge].action] + improved_logit(tree, slot, edge, sigma))


def improved_logit(tree: Tree, slot: int, edge: int, sigma: np.float32) -> np.float32:
    """log P + sigma Q of a move of the root."""
    return np.float32(np.log(prior_of(tree, slot, edge)) + sigma * root_q(tree, slot, edge))


def root_q(tree: Tree, slot: int, edge: int) -> np.float32:
    """Q of a move of the root: the root's own mean if nobody has made the move yet."""
    if tree.edges[slot, edge].node == NOBODY:
        return value_of(tree, slot, 0)
    proven = proven_of(tree, slot, edge)
    return np.float32(tree.edges[slot, edge].q if proven == UNKNOWN else exact(proven))


def gumbel_answer(tree: Tree, slot: int, selection: Selection, policy: NDArray[np.float32]) -> tuple[np.float32, int]:
    """What a Gumbel search found: the value for the player to move, the move to make; writes the improved policy [A].

    The policy is the softmax of log P + sigma Q (the same paper, equation 11), the value its mean of Q. Proven wins
    share it all where there are any, proven losses get nothing unless all are lost.
    """
    root = tree.nodes[slot, 0]
    for action in range(NUM_ACTIONS):
        policy[action] = 0.0
    last = root.first_edge + root.num_edges
    sigma = sigma_of(tree, slot, selection)
    best, lost = proven_at_root(tree, slot)
    largest = np.float32(-np.inf)
    for at in range(root.first_edge, last):
        if is_answer(tree, slot, at, best, lost):
            largest = max(largest, improved_logit(tree, slot, at, sigma))
    total = mean = np.float32(0.0)
    choice, choice_visits, choice_score = 0, -1, np.float32(-np.inf)
    for at in range(root.first_edge, last):
        if not is_answer(tree, slot, at, best, lost):
            continue
        action = tree.edges[slot, at].action
        logit = improved_logit(tree, slot, at, sigma)
        share = np.exp(logit - largest)
        policy[action] = share
        total += share
        mean += share * root_q(tree, slot, at)
        visits, score = visits_of(tree, slot, at), gumbel_score(tree, slot, at, sigma)
        if visits > choice_visits or (visits == choice_visits and score > choice_score):
            choice, choice_visits, choice_score = int(action), visits, score
    for action in range(NUM_ACTIONS):
        policy[action] /= total
    value = exact(WIN + LOSS - root.proven) if root.proven != UNKNOWN else mean / total
    return value, choice


def proven_at_root(tree: Tree, slot: int) -> tuple[int, bool]:
    """The best that is proven of a move of the root, and whether all of them are proven lost."""
    root = tree.nodes[slot, 0]
    best, lost = UNKNOWN, True
    for at in range(root.first_edge, root.first_edge + root.num_edges):
        proven = proven_of(tree, slot, at)
        best = max(best, proven)
        lost = lost and proven == LOSS
    return best, lost


def is_answer(tree: Tree, slot: int, edge: int, best: int, lost: bool) -> bool:
    """A move of the root that may be made: a proven win where there is one, else one that is not proven lost."""
    proven = proven_of(tree, slot, edge)
    return proven == WIN if best == WIN else lost or proven != LOSS


def begin_all(tree: Tree, states: State, simulations: int) -> None:
    """Start a search from each row of `states` [R, S], R at most G; the other slots rest."""
    for slot in range(len(tree.budget)):
        tree.budget[slot] = 0
        tree.leaf[slot] = NOBODY
        for action in range(NUM_ACTIONS):
            tree.noise[slot, action] = 0.0
    for row in range(len(states)):
        begin(tree, row, states[row], simulations, False)


def answer_all(tree: Tree, visits: NDArray[np.float32], values: NDArray[np.float32]) -> None:
    """`answer` of the first R slots: `visits` [R, A], `values` [R]."""
    for row in range(len(values)):
        values[row] = answer(tree, row, visits[row])
