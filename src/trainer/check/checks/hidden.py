"""Whether the network sees all that decides: positions that look alike must play alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainer.check.alike import Effects, Pair, Parting, effects, games_compared, pairs_alike, parting
from trainer.check.findings import RESULTS, Finding, Level
from trainer.check.subject import Subject
from trainer.games.base import FLAGS, Game
from trainer.games.positions import Positions

MOST_PLAYED_ON = 200
"""Pairs in which more than one move is played."""


def check_hidden(subject: Subject) -> list[Finding]:
    """Look for positions that look the same but whose deciding words differ; each move must have the same effect in both.

    If only positions with another history differ (raw words beyond the key), that may be on purpose, and is a note, unless
    they also differ when neither has a history.
    """
    key = subject.game.deciding_words
    pairs = pairs_alike(
        subject,
        games_played(subject),
        lambda positions: np.packbits(positions.observation() != 0, axis=1),
        lambda one, two: (one[:, :key] != two[:, :key]).any(axis=1),
    )
    if not pairs:
        return []
    found = effects(*states_of(subject, pairs))
    history = subject.game.history_begin
    same_history = np.array([(pair.one[history:] == pair.two[history:]).all() for pair in pairs])
    wrong = found.differs & same_history[found.pair]
    if wrong.any():
        return [at_once(subject.game, pairs, found, wrong, Level.FAILURE)]
    if failures := later(subject, [pair for pair, same in zip(pairs, same_history, strict=True) if same]):
        return failures
    if failures := without_history(subject, [pair for pair, same in zip(pairs, same_history, strict=True) if not same]):
        return failures
    return [at_once(subject.game, pairs, found, found.differs, Level.NOTE)] if found.differs.any() else []


def games_played(subject: Subject) -> int:
    """In how many random games `check_hidden` looks."""
    return games_compared(subject, subject.game.obs_size)


def at_once(game: Game, pairs: list[Pair], found: Effects, wrong: NDArray[np.bool_], level: Level) -> Finding:
    """A finding about the first of the moves [M] that are `wrong`: it has another effect where all looks the same."""
    move = int(np.flatnonzero(wrong)[0])
    at = int(found.pair[move])
    here, there = found.after_two.winner[move], found.after_one.winner[move]
    what = (
        f"state[WINNER] becomes {RESULTS[here]} here and {RESULTS[there]} there"
        if here != there
        else "the positions after it look different"
    )
    text = unseen(game, pairs[at], f"action {found.actions[move]} has another effect: {what}", level)
    count, compared = len(np.unique(found.pair[wrong])), len(np.unique(found.pair))
    text = f"{text} ({count:,} of {compared:,} pairs that look alike play differently.)"
    return Finding(level, text, pairs[at].moves_two)


def later(subject: Subject, pairs: list[Pair]) -> list[Finding]:
    """Play on in positions that look the same; a failure if what differs counts later, before the longest game ends."""
    pairs = pairs[:MOST_PLAYED_ON]
    found = parting(*states_of(subject, pairs), plies_left(subject.game, pairs), subject.numbers(6))
    return [] if found is None else [parted(subject.game, pairs[found.pair], found, "in both")]


def without_history(subject: Subject, pairs: list[Pair]) -> list[Finding]:
    """Play on in positions that look the same, once neither has a history; a failure if a result differs then.

    Their histories are made that of the first position. The rules may not know such a position, so only results count.
    """
    history = subject.game.history_begin
    blank = subject.first(1).states[0, history:]
    pairs = [
        replace(pair, one=np.append(pair.one[:history], blank), two=np.append(pair.two[:history], blank))
        for pair in pairs[:MOST_PLAYED_ON]
    ]
    left = plies_left(subject.game, pairs)
    found = parting(*states_of(subject, pairs), left, subject.numbers(6), results_alone=True)
    if found is None:
        return []
    return [parted(subject.game, pairs[found.pair], found, "in both, as if nothing had been played before")]


def states_of(subject: Subject, pairs: list[Pair]) -> tuple[Positions, Positions]:
    """The first and the second position of each pair."""
    plain = subject.first(0)
    one, two = (
        plain.of(np.array(states, np.uint64).reshape(-1, subject.game.state_words))
        for states in ([pair.one for pair in pairs], [pair.two for pair in pairs])
    )
    return one, two


def plies_left(game: Game, pairs: list[Pair]) -> NDArray[np.int64]:
    """How many moves may be played on in each pair; the limit itself need not be seen."""
    played = [max(len(pair.moves_one), len(pair.moves_two)) for pair in pairs]
    return game.max_plies - 1 - np.array(played, np.int64)


def parted(game: Game, pair: Pair, found: Parting, how: str) -> Finding:
    """The failure of a pair that parts after some moves, which were played as `how` says."""
    what = "the positions look different"
    if found.winner_one != found.winner_two:
        what = f"state[WINNER] is {RESULTS[found.winner_two]} here and {RESULTS[found.winner_one]} there"
    moves = ", ".join(map(str, found.moves))
    text = unseen(game, pair, f"after the moves {moves} {how}, {what}", Level.FAILURE)
    return Finding(Level.FAILURE, text, pair.moves_two)


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
