"""Kernels of the evaluation cache, which keeps the evaluations of positions. E entries, S state words, A actions; the first
K state words determine a position's legal moves, its result and its evaluation (`Game.deciding_words`).

The hash of a position gives its only place; a newer position there replaces the older one. An entry holds the whole
key, so two keys with the same hash are never confused. Each search has its own cache, so no locks are needed.

The key has those K words but WINNER, because only unfinished positions are evaluated. Its first word holds the generation
next to the mover. Counting the generation up empties the cache; memory that was never written has generation 0.

Compiled by `trainer.games.kernels`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.games.base import FLAGS, MOVER, Game, Mask, State

policies: ModuleType
KEY_WORDS: int

INLINED = True

MISSING = -1
ODD = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2^64 / golden ratio; the upper bits of a product depend on all bits below
HALF = np.uint64(32)
MOVER_BITS = np.uint64(2)


class Cache(NamedTuple):
    """Memory of one cache."""

    entries: NDArray[Any]
    """[E] `key` uint64 [K - 1]; `value` float32, for the mover; `prior` float32, as `policies` keeps it."""
    generation: NDArray[np.uint64]
    """[1]; entries of another generation don't count."""
    prior: NDArray[np.float32]
    """[A], scratch memory for a prior that is taken out."""


def empty_cache(game: Game, entries: int) -> Cache:
    """Memory for this many entries, all of them empty; 0 for no cache."""
    key, prior = (np.uint64, (game.deciding_words - 1,)), (np.float32, (game.policy_size,))
    entry = np.dtype([("key", *key), ("value", np.float32), ("prior", *prior)], align=True)
    return Cache(np.zeros(entries, entry), np.ones(1, np.uint64), np.zeros(game.num_actions, np.float32))


def find(cache: Cache, state: State) -> int:
    """The entry of a position [S], or MISSING."""
    if len(cache.entries) == 0:
        return MISSING
    at = place(cache, state)
    key = cache.entries[at].key
    if key[0] != first_word(cache, state):
        return MISSING
    for word in range(FLAGS, KEY_WORDS):
        if key[word - 1] != state[word]:
            return MISSING
    return at


def store(cache: Cache, state: State, legal: Mask, prior: NDArray[np.float32], value: np.float32) -> None:
    """Keep the answer for a position: `prior` [A], zero where not `legal` [A], `value` for the mover."""
    if len(cache.entries) == 0:
        return
    entry = cache.entries[place(cache, state)]
    key, kept = entry.key, entry.prior
    key[0] = first_word(cache, state)
    for word in range(FLAGS, KEY_WORDS):
        key[word - 1] = state[word]
    policies.keep(prior, legal, kept)
    entry.value = value


def place(cache: Cache, state: State) -> int:
    """Where a position belongs, 0 to E - 1."""
    return scaled(mixed(state), len(cache.entries))


def mixed(state: State) -> np.uint64:
    """The hash of a position [S]."""
    hashed = state[MOVER]
    for word in range(FLAGS, KEY_WORDS):
        hashed = (hashed ^ state[word]) * ODD
        hashed ^= hashed >> HALF
    return np.uint64(hashed)


def scaled(hashed: np.uint64, places: int) -> int:
    """A hash as the number of one of `places` places, at most 2^32."""
    return int(np.int64(((hashed >> HALF) * np.uint64(places)) >> HALF))


def first_word(cache: Cache, state: State) -> np.uint64:
    """The generation and the mover."""
    return np.uint64((cache.generation[0] << MOVER_BITS) | state[MOVER])
