"""Kernels of self-play: from searches to moves, for games in lockstep. G slots, P plies, S state words, A actions.

Compiled per game by `trainer.games.compiled`, which binds `rules`, `tree` and the sizes.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import OPEN, WINNER, Mask, Rules, State
from trainer.mcts.tree import NOBODY, Selection, Tree

rules: Rules
tree: ModuleType
NUM_ACTIONS: int

EMPTY, PLAYING, FINISHED = 0, 1, 2


class Games(NamedTuple):
    """G games under way, and the dice that were thrown for each of them when it began."""

    status: NDArray[np.int8]
    """[G] EMPTY, PLAYING or FINISHED."""
    ply: NDArray[np.int32]
    """[G] moves made."""
    states: State
    """uint64 [G, P + 1, S]"""
    actions: NDArray[np.uint32]
    """[G, P]"""
    visits: NDArray[np.float32]
    """[G, P, A]"""
    values: NDArray[np.float32]
    """[G, P] value of the search for the mover."""
    full: NDArray[np.bool_]
    """[G, P] the search of this move is a full one: with the noise below, and its visits are a policy target."""
    uniform: NDArray[np.float64]
    """[G, P] chooses the move."""
    noise: NDArray[np.float32]
    """[G, P, A] for the root's noise: gamma variates, or for a Gumbel search Gumbel variates, 0 where it shall have none."""
    random_plies: NDArray[np.int32]
    """[G] moves at the start that are drawn from all legal ones; at most so many until the game has begun."""


class Effort(NamedTuple):
    """How long the searches are."""

    simulations: int
    """Of a full one."""
    fast_simulations: int
    """Of one that only makes the move."""
    gumbel: bool
    """Full ones are Gumbel searches."""


def begin_game(games: Games, trees: Tree, slot: int, effort: Effort) -> None:
    """Put a game into an empty slot, make its random moves, and start its first search."""
    games.status[slot] = PLAYING
    games.ply[slot] = 0
    rules.start(games.states[slot, 0])
    while games.ply[slot] < games.random_plies[slot] and games.status[slot] == PLAYING:
        make_random_move(games, trees.mask, slot)
    if games.status[slot] == FINISHED:  # leave the last move to the search
        games.status[slot] = PLAYING
        games.ply[slot] -= 1
    games.random_plies[slot] = games.ply[slot]
    begin_search(games, trees, slot, effort)


def begin_search(games: Games, trees: Tree, slot: int, effort: Effort) -> None:
    """Start the search of the move to be made in a slot."""
    ply = games.ply[slot]
    full = games.full[slot, ply]
    for action in range(NUM_ACTIONS):
        trees.noise[slot, action] = games.noise[slot, ply, action] if full else 0.0
    simulations = effort.simulations if full else effort.fast_simulations
    tree.begin(trees, slot, games.states[slot, ply], simulations, full and effort.gumbel)


def advance(games: Games, trees: Tree, selection: Selection, effort: Effort, sampled_plies: int) -> int:
    """Make the move in every game whose search is over, and start the next search; returns how many games ended.

    The first `sampled_plies` moves of a game are drawn in proportion to their visits, the later ones are the most
    visited; a Gumbel search draws by itself.
    """
    ended = 0
    for slot in range(len(games.status)):
        if games.status[slot] != PLAYING or trees.budget[slot] > 0 or trees.leaf[slot] != NOBODY:
            continue
        ply = games.ply[slot]
        visits = games.visits[slot, ply]
        if trees.gumbel[slot]:
            games.values[slot, ply], action = tree.gumbel_answer(trees, slot, selection, visits)
        else:
            games.values[slot, ply] = tree.answer(trees, slot, visits)
            action = drawn(visits, games.uniform[slot, ply]) if ply < sampled_plies else int(np.argmax(visits))
        if make_move(games, slot, action):
            ended += 1
        else:
            begin_search(games, trees, slot, effort)
    return ended


def play_random(games: Games, trees: Tree) -> int:
    """Play every game to its end by uniform draws, with the uniform policy as target; returns how many games ended."""
    ended = 0
    for slot in range(len(games.status)):
        trees.budget[slot] = 0
        trees.leaf[slot] = NOBODY
        while games.status[slot] == PLAYING:
            games.full[slot, games.ply[slot]] = True
            ended += make_random_move(games, trees.mask, slot)
    return ended


def make_random_move(games: Games, mask: Mask, slot: int) -> bool:
    """Record and play a move drawn from all legal ones; True when the game is over. `mask` [A] is overwritten."""
    ply = games.ply[slot]
    rules.legal(games.states[slot, ply], mask)
    visits = games.visits[slot, ply]
    for action in range(NUM_ACTIONS):
        visits[action] = mask[action] / mask.sum()
    games.values[slot, ply] = 0.0
    return make_move(games, slot, drawn(visits, games.uniform[slot, ply]))


def make_move(games: Games, slot: int, action: int) -> bool:
    """Record and play an action; True when the game is over."""
    ply = games.ply[slot]
    games.actions[slot, ply] = action
    state = games.states[slot, ply + 1]
    for word in range(len(state)):
        state[word] = games.states[slot, ply, word]
    rules.play(state, action)
    games.ply[slot] = ply + 1
    if state[WINNER] != OPEN:
        games.status[slot] = FINISHED
        return True
    return False


def drawn(weights: NDArray[np.float32], uniform: float) -> int:
    """The action at `uniform` in [0, 1) of the weights, which sum to about 1."""
    left = uniform * weights.sum()
    last = 0
    for action in range(NUM_ACTIONS):
        if weights[action] > 0:
            last = action
            left -= weights[action]
            if left < 0:
                break
    return last
