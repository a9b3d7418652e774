"""Whether the network sees all that decides: positions that look alike must play alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.check.alike import Pair, effects, pairs_alike, parting
from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject
from trainer.games.positions import Positions

MOST_PLAYED_ON = 200
"""Pairs in which more than one move is played."""


def check_hidden(subject: Subject) -> list[Finding]:
    """Look for positions that look the same but whose deciding words differ; each move must have the same effect in both.

    If only positions with another history differ (raw words beyond the key), that may be on purpose, and is a note.
    """
    key = subject.game.deciding_words
    count = subject.games_within(200_000_000, subject.game.obs_size)
    pairs = pairs_alike(
        subject,
        count,
        lambda positions: np.packbits(positions.observation() != 0, axis=1),
        lambda one, two: (one[:, :key] != two[:, :key]).any(axis=1),
    )
    if not pairs:
        return []
    plain = subject.first(0)
    one, two = plain.of(np.array([pair.one for pair in pairs])), plain.of(np.array([pair.two for pair in pairs]))
    found = effects(one, two)
    history = max(key, subject.game.state_words - subject.game.raw_words)
    same_history = (one.states[:, history:] == two.states[:, history:]).all(axis=1)
    level = Level.FAILURE if (found.differs & same_history[found.pair]).any() else Level.NOTE
    wrong = found.differs & same_history[found.pair] if level is Level.FAILURE else found.differs
    if not wrong.any():
        return later(subject, pairs, one, two, same_history)
    move = int(np.flatnonzero(wrong)[0])
    at = int(found.pair[move])
    differing = np.flatnonzero(one.states[at] != two.states[at])
    here, there = found.winner_two[move], found.winner_one[move]
    what = (
        f"state[WINNER] becomes {here} here and {there} there"
        if here != there
        else "the positions after it look different"
    )
    line = ", ".join(map(str, pairs[at].moves_one))
    if level is Level.FAILURE:
        advice = "show what is in there in `features`, each number 0 or 1."
    else:
        advice = "their history differs (raw words beyond the key), which may be left out of account on purpose."
    return [
        Finding(
            level,
            f"The network can't see all that decides. This position looks exactly like the one after the moves {line}: the "
            f"same pieces, features, legal moves and mover. But action {found.actions[move]} has another effect: {what}. "
            f"The states differ in {'word' if len(differing) == 1 else 'words'} {', '.join(map(str, differing[:6]))}; "
            f"{advice} "
            f"({len(np.unique(found.pair[wrong])):,} of {len(pairs):,} pairs that look alike play differently.)",
            pairs[at].moves_two,
        )
    ]


def later(
    subject: Subject, pairs: list[Pair], one: Positions, two: Positions, same_history: NDArray[np.bool_]
) -> list[Finding]:
    """Play on in positions that look the same; a failure if what differs counts later, before the longest game ends."""
    rows = np.flatnonzero(same_history)[:MOST_PLAYED_ON]
    played = np.array([max(len(pairs[row].moves_one), len(pairs[row].moves_two)) for row in rows], np.int64)
    left = subject.game.max_plies - 1 - played  # the limit itself need not be seen
    found = parting(one.of(one.states[rows]), two.of(two.states[rows]), left, subject.numbers(6))
    if found is None:
        return []
    row = int(rows[found.pair])
    differing = np.flatnonzero(one.states[row] != two.states[row])
    what = "the positions look different"
    if found.winner_one != found.winner_two:
        what = f"state[WINNER] is {found.winner_two} here and {found.winner_one} there"
    return [
        Finding(
            Level.FAILURE,
            "The network can't see all that decides. This position looks exactly like the one after the moves "
            f"{', '.join(map(str, pairs[row].moves_one))}: the same pieces, features, legal moves and mover. But when "
            f"{', '.join(map(str, found.moves))} are played in both, {what}. The states differ in "
            f"{'word' if len(differing) == 1 else 'words'} {', '.join(map(str, differing[:6]))}; show what is in there in "
            "`features`, each number 0 or 1.",
            pairs[row].moves_two,
        )
    ]
