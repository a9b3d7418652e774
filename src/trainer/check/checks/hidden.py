"""Whether the network sees all that decides: positions that look alike must play alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.check.alike import Pair, effects, pairs_alike, parting
from trainer.check.findings import RESULTS, Finding, Level
from trainer.check.subject import Subject
from trainer.games.base import FLAGS, Game
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
    here, there = found.after_two.winner[move], found.after_one.winner[move]
    what = (
        f"state[WINNER] becomes {RESULTS[here]} here and {RESULTS[there]} there"
        if here != there
        else "the positions after it look different"
    )
    text = unseen(subject.game, pairs[at], f"action {found.actions[move]} has another effect: {what}", level)
    count, compared = len(np.unique(found.pair[wrong])), len(np.unique(found.pair))
    return [
        Finding(
            level, f"{text} ({count:,} of {compared:,} pairs that look alike play differently.)", pairs[at].moves_two
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
    pair = pairs[int(rows[found.pair])]
    what = "the positions look different"
    if found.winner_one != found.winner_two:
        what = f"state[WINNER] is {RESULTS[found.winner_two]} here and {RESULTS[found.winner_one]} there"
    moves = ", ".join(map(str, found.moves))
    text = unseen(subject.game, pair, f"after the moves {moves} in both, {what}", Level.FAILURE)
    return [Finding(Level.FAILURE, text, pair.moves_two)]


def unseen(game: Game, pair: Pair, what: str, level: Level) -> str:
    """Sentences about two positions that look alike: `what` shows that they aren't, and what to do about it."""
    words = np.flatnonzero(pair.one != pair.two)
    differing = [word_name(int(word)) for word in words]
    alike = f"the one after the moves {', '.join(map(str, pair.moves_one))}" if pair.moves_one else "the first position"
    advice = "show what is in there in `features`, each number 0 or 1."
    if level is not Level.FAILURE:
        advice = "their history differs (raw words beyond the key), which may be left out of account on purpose."
    elif not game.key_words and words[0] >= game.state_words - game.raw_words:
        advice = (
            "if these raw words are a history, set key_words to the number of words before them, and show what it forbids "
            "or ends now as a flag in `features` (Repetition in docs/adding-a-game.md)."
        )
    return (
        f"The network can't see all that decides. This position looks exactly like {alike}: the same pieces, features, "
        f"legal moves and mover. But {what}. The states differ in {' and '.join(differing[:6])}; {advice}"
    )


def word_name(word: int) -> str:
    """How rules write a word of the state."""
    names = ("MOVER", "WINNER", "FLAGS")
    return f"state[{names[word]}]" if word < len(names) else f"state[FLAGS + {word - FLAGS}]"
