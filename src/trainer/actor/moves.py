"""Kernels of self-play: from searches to moves, for games in lockstep. G slots, P plies, S state words, A actions.

All chance in a game comes from `random_numbers` and the game's key: two numbers for its opening, then NOISE + A per ply, of
which one picks the move and A are the noise of the search.

Compiled for each game by `trainer.games.kernels`, which binds `rules`, the kernels of the search, `random_numbers`,
`forward`, `answers` and the sizes.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import DRAW, MOVER, OPEN, WINNER, Game, Mask, Rules
from trainer.search.cache import Cache
from trainer.search.selection import Selection
from trainer.search.tree import NO_NODE, UNKNOWN, Tree
from trainer.sparse.network import Memory, SparseNetwork

rules: Rules
policies: ModuleType
tree: ModuleType
puct: ModuleType
gumbel: ModuleType
simulations: ModuleType
random_numbers: ModuleType
forward: ModuleType
answers: ModuleType
FEW_LEGAL: bool
NUM_ACTIONS: int

EMPTY, READY, PLAYING, FINISHED = 0, 1, 2, 3
HAS_OPENING, OPENING_LENGTH, PLIES = 0, 1, 2  # places of a game's numbers
MOVE, NOISE = 1, 2  # places of those of a ply; place 0 is free, so that games keep the numbers they always had
LARGEST_UNPROVEN = np.float32(1 - 2**-24)  # the largest value below 1, which would mean a proven win
NO_VALUE = np.float32(np.nan)


class Games(NamedTuple):
    """G games."""

    run: NDArray[np.uint64]
    """[1] the run's key, from which `random_numbers.key_of` makes the keys of games."""
    status: NDArray[np.int8]
    """[G] EMPTY, READY to begin, PLAYING or FINISHED."""
    number: NDArray[np.int64]
    """[G]"""
    key: NDArray[np.uint64]
    """[G] the key of the game's random numbers."""
    ply: NDArray[np.int32]
    """[G] moves made."""
    opening_plies: NDArray[np.int32]
    """[G] random moves at the start of the game."""
    plies: NDArray[Any]
    """[G, P + 1] as `ply_record` has it; of the last one of a game only `state` means anything."""
    cut_off: Mask
    """[G] the game was ended as a draw at `max_plies`, although by its rules it goes on."""
    policy: NDArray[np.float32]
    """[A], scratch memory."""


def ply_record(game: Game) -> np.dtype[Any]:
    """What is recorded of a position and the move made there."""
    return np.dtype(
        [
            ("state", np.uint64, (game.state_words,)),
            ("visits", np.float32, (game.policy_size,)),  # the policy target, as `search.policies` keeps it
            # of the search, for the mover: exactly +1 or -1 only if it has proven the result; NO_VALUE if there was none
            ("value", np.float32),
            ("action", np.uint32),
        ],
        align=True,
    )


class MoveSettings(NamedTuple):
    """How moves are made; see `trainer.settings.groups.self_play`."""

    simulations: int
    """Simulations per move."""
    gumbel: bool
    """Whether searches are Gumbel searches."""
    noise_alpha: float
    """Concentration of the Dirichlet noise of other searches."""
    sampled_plies: int
    """Plies at the start of a game whose moves are sampled: by visits, or by the noise of a Gumbel search, which later
    searches lack."""
    random_openings: float
    """Share of games that begin with uniformly random moves."""
    fewest_random_plies: int
    """The fewest such moves at the start of a game."""
    most_random_plies: int
    """The most such moves at the start of a game."""


class Leaves(NamedTuple):
    """Leaves that wait for an evaluation, and memory for a network's answers."""

    observation: NDArray[np.float32]
    """[G, obs_size] as `simulations.descend` writes it."""
    legal: Mask
    """[G, A], as that one does."""
    logits: NDArray[np.float32]
    """[G, A]"""
    prior: NDArray[np.float32]
    """[G, A]"""
    value: NDArray[np.float32]
    """[G]"""
    found: NDArray[np.int64]
    """[A]"""


def play(
    games: Games,
    trees: Tree,
    selection: Selection,
    evaluations: Cache,
    settings: MoveSettings,
    leaves: Leaves,
    prior: NDArray[np.float32],
    value: NDArray[np.float32],
    network: SparseNetwork,
    memory: Memory,
    further: int,
    enough: int,
) -> tuple[int, int, int]:
    """One step: complete the waiting simulations, make the moves that are due, descend to new leaves.

    `prior` [B, A] and `value` [B] are the answers for the waiting leaves. With `network` it then evaluates the new leaves
    itself and makes up to `further` steps more. It stops early once `enough` games have ended, or if the network's answer is
    invalid; its leaves then still wait for an evaluation. Returns the numbers of leaves that wait, simulations done, games
    ended.
    """
    done = ended = 0
    while True:
        done += simulations.expand(trees, selection, evaluations, leaves.legal, prior, value)
        ended += advance(games, trees, selection, settings)
        waiting, more = simulations.descend(trees, selection, evaluations, leaves.observation, leaves.legal)
        done += more
        if further == 0 or waiting == 0 or ended >= enough:
            return waiting, done, ended
        forward.evaluate(network, memory, waiting, leaves.observation, leaves.logits, leaves.value)
        if answers.fault_of(leaves.logits[:waiting], leaves.value) != answers.SOUND:
            return waiting, done, ended
        answers.masked_softmax(leaves.logits[:waiting], leaves.legal, leaves.found, leaves.prior)
        prior, value = leaves.prior, leaves.value
        further -= 1


def begin_game(games: Games, trees: Tree, slot: int, settings: MoveSettings) -> None:
    """Set up the game that is ready in a slot, make its random moves, and start its first search."""
    key = random_numbers.key_of(games.run[0], games.number[slot])
    games.key[slot] = key
    games.status[slot] = PLAYING
    games.ply[slot] = 0
    games.opening_plies[slot] = 0
    if random_numbers.uniform(key, HAS_OPENING) < settings.random_openings:
        fewest = settings.fewest_random_plies
        lengths = settings.most_random_plies - fewest + 1
        games.opening_plies[slot] = fewest + int(random_numbers.uniform(key, OPENING_LENGTH) * lengths)
    rules.start(games.plies[slot, 0].state)
    while games.ply[slot] < games.opening_plies[slot] and games.status[slot] == PLAYING:
        make_random_move(games, trees, slot)
    if games.status[slot] == FINISHED:  # leave the last move to the search
        games.status[slot] = PLAYING
        games.ply[slot] -= 1
    games.opening_plies[slot] = games.ply[slot]
    begin_search(games, trees, slot, settings)


def begin_search(games: Games, trees: Tree, slot: int, settings: MoveSettings) -> None:
    """Start the search of the move to be made in a slot. Gamma variates, divided by their sum, are Dirichlet noise."""
    ply, key = games.ply[slot], games.key[slot]
    for action in range(NUM_ACTIONS):
        noise = 0.0
        if not settings.gumbel:
            noise = random_numbers.gamma(key, place(ply, NOISE + action), settings.noise_alpha)
        elif ply < settings.sampled_plies:
            noise = random_numbers.gumbel(key, place(ply, NOISE + action))
        trees.noise[slot, action] = noise
    tree.begin(trees, slot, games.plies[slot, ply].state, settings.simulations, settings.gumbel)


def place(ply: int, which: int) -> int:
    """Where one of a ply's numbers stands among those of its game."""
    return PLIES + ply * (NOISE + NUM_ACTIONS) + which


def advance(games: Games, trees: Tree, selection: Selection, settings: MoveSettings) -> int:
    """Begin the games that are ready, make the move where a search is over, start the next; returns how many games ended.

    The first moves of a game are drawn in proportion to their visits, the later ones are the most visited; a Gumbel search
    draws by itself.
    """
    ended = 0
    for slot in range(len(games.status)):
        if games.status[slot] == READY:
            begin_game(games, trees, slot, settings)
        if games.status[slot] != PLAYING or trees.budget[slot] > 0 or trees.leaf[slot] != NO_NODE:
            continue
        ply, policy = games.ply[slot], games.policy
        at = games.plies[slot, ply]
        if trees.gumbel[slot]:
            at.value, action = gumbel.answer(trees, slot, selection, policy)
        else:
            at.value = puct.answer(trees, slot, policy)
            action = drawn(policy, chance(games, slot)) if ply < settings.sampled_plies else int(np.argmax(policy))
        if trees.nodes[slot, 0].proven == UNKNOWN:  # a tanh that saturates is exactly +1 or -1
            at.value = max(-LARGEST_UNPROVEN, min(at.value, LARGEST_UNPROVEN))
        if FEW_LEGAL:
            rules.legal(at.state, trees.mask, trees.found)
        policies.keep(policy, trees.mask, at.visits)
        if make_move(games, slot, action):
            ended += 1
        else:
            begin_search(games, trees, slot, settings)
    return ended


def play_random(games: Games, trees: Tree, settings: MoveSettings) -> int:
    """Play every game to its end by uniform draws, with the uniform policy as target; returns how many games ended."""
    ended = 0
    for slot in range(len(games.status)):
        if games.status[slot] == READY:
            begin_game(games, trees, slot, settings)
        trees.budget[slot] = 0
        trees.leaf[slot] = NO_NODE
        while games.status[slot] == PLAYING:
            ended += make_random_move(games, trees, slot)
    return ended


def make_random_move(games: Games, trees: Tree, slot: int) -> bool:
    """Record and play a move drawn from all legal ones; True when the game is over. Uses the scratch memory of `trees`."""
    at, policy = games.plies[slot, games.ply[slot]], games.policy
    rules.legal(at.state, trees.mask, trees.found)
    count = trees.mask.sum()
    for action in range(NUM_ACTIONS):
        policy[action] = trees.mask[action] / count
    policies.keep(policy, trees.mask, at.visits)
    at.value = NO_VALUE
    return make_move(games, slot, drawn(policy, chance(games, slot)))


def unpack_policies(plies: NDArray[Any], trees: Tree, to: NDArray[np.float32]) -> None:
    """Write the policy targets of the first P of `plies` to `to` [P, A], if few actions are legal."""
    for ply in range(len(to)):
        rules.legal(plies[ply].state, trees.mask, trees.found)
        policies.unpack(plies[ply].visits, trees.mask, to[ply])


def chance(games: Games, slot: int) -> float:
    """The random number of the current move, between 0 and 1."""
    return float(random_numbers.uniform(games.key[slot], place(games.ply[slot], MOVE)))


def make_move(games: Games, slot: int, action: int) -> bool:
    """Record and play an action; True when the game is over."""
    at, after = games.plies[slot, games.ply[slot]], games.plies[slot, games.ply[slot] + 1]
    at.action = action
    for word in range(len(at.state)):
        after.state[word] = at.state[word]
    rules.play(after.state, action)
    games.ply[slot] += 1
    games.cut_off[slot] = games.ply[slot] == games.plies.shape[1] - 1 and after.state[WINNER] == OPEN
    if games.cut_off[slot]:  # the game promises to be over by now; its next ply would have no place
        after.state[WINNER] = DRAW
        after.state[MOVER] = at.state[MOVER]
    if after.state[WINNER] != OPEN:
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
