"""Openings: different positions to start games from, so that deterministic players play different games."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ConfigError
from trainer.games.base import OPEN
from trainer.games.positions import Positions

MOST_POSITIONS = 200_000
"""Openings are drawn from a list of all positions after a number of plies. Longer lists than this are not made."""

MOST_BYTES = 2**30
"""Memory that the positions of one more ply may take."""


def in_words(openings: list[list[int]], kind: str = "") -> str:
    """How many openings there are and how long, as in "50 different openings of 2 moves", where `kind` is "different "."""
    plies, many = len(openings[0]), len(openings)
    return f"{many} {kind}opening{'' if many == 1 else 's'} of {plies} move{'' if plies == 1 else 's'}"


def seats_in_words(games: int) -> str:
    """From which seats a match of `games` games plays its openings; empty for a single game."""
    if games == 1:
        return ""
    exception = ", except the last game's" if games % 2 else ""
    return f", each played from both seats{exception}"


def draw_openings(env_id: str, games: int, seed: int, plies: int | None = None) -> list[list[int]]:
    """Draw the openings of a match, one for every two of its `games`: moves that lead to different unfinished positions.

    All are `plies` long; None = the fewest plies after which there are as many different positions as openings are needed.
    A ply with fewer positions gives all of them; if `plies` is None and no ply has enough, the ply with the most positions
    does. Raises ConfigError if `plies` is too large.
    """
    count = (games + 1) // 2
    best: list[list[int]] = []
    for ply, moves in enumerate(lines_by_ply(env_id)):
        if ply == plies or (plies is None and len(moves) >= count):
            best = moves.tolist()
            break
        if plies is None and len(moves) > len(best):
            best = moves.tolist()
    if not best:
        raise ConfigError(
            f"{env_id} has no openings of {plies} moves, or too many to list (more than {MOST_POSITIONS:,}); "
            "choose a smaller number"
        )
    chosen = np.random.default_rng(seed).permutation(len(best))[:count]
    return [best[number] for number in chosen]


def lines_by_ply(env_id: str) -> Iterator[NDArray[np.int64]]:
    """For each ply, one sequence of moves to every unfinished position: int64 [positions, ply].

    Ends when all games are over, before a ply with more than MOST_POSITIONS, or if finding those would take more than
    MOST_BYTES.
    """
    positions = Positions(env_id, 1)
    lines = np.zeros((1, 0), np.int64)
    while 0 < len(lines) <= MOST_POSITIONS:
        yield lines
        if positions.legal().sum() * positions.states[:1].nbytes > MOST_BYTES:
            return
        rows, actions, after = positions.successors()
        states, first = np.unique(after.states, axis=0, return_index=True)
        under_way = after.winner[first] == OPEN
        states, first = states[under_way], first[under_way]
        lines = np.concatenate([lines[rows[first]], actions[first, None]], axis=1)
        positions = positions.of(states)
