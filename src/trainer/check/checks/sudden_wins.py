"""Whether `wins_next` tells the truth."""

from __future__ import annotations

import numpy as np

from trainer.check.findings import Examples, Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject

MOVES_PER_PLY = 200_000
"""Moves that are tried per ply."""


def check_sudden_wins(subject: Subject) -> list[Finding] | None:
    """Compare `wins_next` with playing every legal move; None: the game doesn't have it."""
    if not subject.has("wins_next"):
        return None
    games, invented = RandomGames(subject, subject.games), Examples()
    missed: tuple[int, ...] | None = None
    wins = missing = 0
    for ply in games:
        count = np.cumsum(ply.legal.sum(axis=1))
        looked = max(1, int(np.searchsorted(count, MOVES_PER_PLY)))
        before, legal = ply.before.of(ply.before.states[:looked]), ply.legal[:looked]
        says = np.zeros(len(legal), np.bool_)
        subject.kernels.probes.wins_next(before.states, legal, says)
        rows, actions = np.nonzero(legal)
        after = before.of(before.states[rows])
        after.play(np.arange(len(rows)), actions)
        can = np.zeros(len(legal), np.bool_)
        can[rows[after.winner == before.mover[rows]]] = True

        def moves_of(row: int, ply=ply) -> tuple[int, ...]:  # type: ignore[no-untyped-def]
            return games.moves(int(ply.games[row]), ply.number)

        def describe(row: int, mover=before.mover) -> str:  # type: ignore[no-untyped-def]
            return (
                f"wins_next says that player {mover[row]}, who is to move, can win at once, but no legal move does. Search "
                "believes it without looking, so each such position gets a false value. It must look at the pieces of "
                "state[MOVER] and may only say True if playing one of the moves of `mask` sets WINNER to that player."
            )

        invented.add("invented", says & ~can, describe, moves_of)
        wins, missing = wins + int(can.sum()), missing + int((can & ~says).sum())
        if missed is None and (can & ~says).any():
            missed = moves_of(int(np.flatnonzero(can & ~says)[0]))
    found = invented.findings()
    if missing:
        every = missing == wins
        text = (
            f"wins_next finds none of the {wins:,} positions in which a move wins at once."
            if every
            else f"wins_next misses {missing:,} of the {wins:,} positions in which a move wins at once; search has "
            "to find those by itself, and may overlook them if many moves are legal."
        )
        found.append(Finding(Level.FAILURE if every else Level.NOTE, text, missed))
    return found
