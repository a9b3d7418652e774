"""Whether the network sees all that decides: positions that look alike must play alike."""

from __future__ import annotations

import numpy as np

from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject

MOST_PAIRS = 3_000
"""Pairs of positions that look alike which are compared."""


def check_hidden(subject: Subject) -> list[Finding]:
    """Look among random games for two positions that look the same and differ; every move must have the same effect in both.

    A position one move before `max_plies` is not compared with one of an earlier ply: the limit may be hidden.
    """
    key = subject.game.deciding_words
    count = subject.games_within(200_000_000, subject.game.obs_size)
    games = RandomGames(subject, count)
    seen: dict[bytes, tuple[bytes, int, int]] = {}
    pairs: list[tuple[bytes, tuple[int, int], bytes, tuple[int, int]]] = []
    for ply in games:
        if len(pairs) >= MOST_PAIRS:
            break
        last = ply.number == subject.game.max_plies - 1
        views = np.packbits(ply.before.observation() != 0, axis=1)
        for row, (view, state) in enumerate(zip(views, ply.before.states, strict=True)):
            here = state.tobytes(), int(ply.games[row]), ply.number
            there = seen.setdefault(view.tobytes(), here)
            by_limit = last and there[2] < ply.number
            if there[0][: 8 * key] != here[0][: 8 * key] and not by_limit:
                pairs.append((there[0], there[1:], here[0], here[1:]))
    if not pairs:
        return []
    return compare(subject, games, pairs[:MOST_PAIRS])


def compare(subject: Subject, games: RandomGames, pairs) -> list[Finding]:  # type: ignore[no-untyped-def]
    """Play every move in both positions of each pair."""
    first = subject.first(0)
    words = subject.game.state_words
    one = first.of(np.frombuffer(b"".join(pair[0] for pair in pairs), np.uint64).reshape(-1, words).copy())
    two = first.of(np.frombuffer(b"".join(pair[2] for pair in pairs), np.uint64).reshape(-1, words).copy())
    rows, actions, after_one = one.successors()
    after_two = two.of(two.states[rows])
    after_two.play(np.arange(len(rows)), actions)
    results = after_one.winner != after_two.winner
    views = (after_one.observation() != after_two.observation()).any(axis=1)
    wrong = np.flatnonzero(results | views)
    if not len(wrong):
        return []
    move = int(wrong[0])
    pair = pairs[int(rows[move])]
    differing = np.flatnonzero(one.states[rows[move]] != two.states[rows[move]])
    what = (
        f"state[WINNER] becomes {after_one.winner[move]} here and {after_two.winner[move]} there"
        if results[move]
        else "the positions after it look different"
    )
    line = ", ".join(map(str, games.moves(*pair[3])))
    return [
        Finding(
            Level.FAILURE,
            f"The network can't see all that decides. This position looks exactly like the one after the moves {line}: the "
            f"same pieces, features, legal moves and mover. But action {actions[move]} has another effect: {what}. "
            f"The states differ in {'word' if len(differing) == 1 else 'words'} {', '.join(map(str, differing[:6]))}; show "
            "what is in there in `features`, each number 0 or 1. "
            f"({len(np.unique(rows[wrong])):,} of {len(pairs):,} pairs of positions that look alike play differently.)",
            games.moves(*pair[1]),
        )
    ]
