"""Whether games end by themselves, also if the players avoid it, and are as long as GAME says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.check.findings import Finding, Level
from trainer.check.random_games import Choose, RandomGames
from trainer.check.subject import Subject, chosen
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions

MOST_SHORT = 200
"""Games whose mean length is compared with the usual one."""
MOST_MOVES = 8_000_000
"""Moves that are tried for each way to play."""


def check_length(subject: Subject) -> list[Finding]:
    """Play at random, then so that games don't end, then so that nothing is captured; count games that reach `max_plies`."""
    findings = short_games(subject)
    for name, choose, games in ways(subject):
        reached, moves = capped(subject, RandomGames(subject, games, choose), games)
        if 2 * reached > games:
            findings.append(
                Finding(
                    Level.WARNING,
                    f"{reached:,} of {games:,} games {name} are only over because of max_plies={subject.game.max_plies}; "
                    "moves are repeated in them and add no piece. Self-play of an untrained network will look like that, "
                    "and every such game teaches it the limit's result. Add a rule that ends such games sooner.",
                    moves,
                )
            )
            break
    return findings


def short_games(subject: Subject) -> list[Finding]:
    """A warning if random games are far shorter than what GAME says of an ordinary game."""
    count, usual = min(MOST_SHORT, subject.games), subject.game.usual_plies
    mean = sum(len(ply.games) for ply in RandomGames(subject, count)) / count
    if 3 * mean >= usual:
        return []
    source = "typical_plies" if subject.game.typical_plies else "by default, because typical_plies isn't given"
    return [
        Finding(
            Level.WARNING,
            f"Random games last {mean:.1f} moves on average, but an ordinary game is taken to last {usual} ({source}). "
            "Random openings, and the moves that self-play draws at random, would fill most of a game. Set typical_plies to "
            "about "
            f"{max(1, round(mean))}.",
        )
    ]


def ways(subject: Subject) -> list[tuple[str, Choose | None, int]]:
    """How to play: a description, how moves are chosen, how many games."""
    tried = subject.game.most_moves * subject.game.max_plies
    few = int(np.clip(MOST_MOVES // tried, 4, min(100, subject.games)))

    def avoiding_ends(positions: Positions, legal: Mask, generator: np.random.Generator) -> NDArray[np.int64]:
        return chosen(preferred(subject, positions, legal, captures=False), generator)

    def avoiding_captures(positions: Positions, legal: Mask, generator: np.random.Generator) -> NDArray[np.int64]:
        return chosen(preferred(subject, positions, legal, captures=True), generator)

    return [
        ("of random moves", None, subject.games),
        ("of moves that avoid the end of the game", avoiding_ends, few),
        ("of moves that capture nothing", avoiding_captures, few),
    ]


def preferred(subject: Subject, positions: Positions, legal: Mask, captures: bool) -> Mask:
    """The legal moves that don't end the game and, with `captures`, take no piece; all legal ones if there are none."""
    rows, actions = np.nonzero(legal)
    after = positions.of(positions.states[rows])
    after.play(np.arange(len(rows)), actions)
    good = after.winner == OPEN
    if captures:
        good &= pieces(subject, after) >= pieces(subject, positions)[rows]
    mask = np.zeros_like(legal)
    mask[rows[good], actions[good]] = True
    none = ~mask.any(axis=1)
    mask[none] = legal[none]
    return mask


def pieces(subject: Subject, positions: Positions) -> NDArray[np.int64]:
    """[R] cells that aren't empty."""
    found: NDArray[np.int64] = (subject.cells(positions.states) != 0).sum(axis=1)
    return found


def capped(subject: Subject, games: RandomGames, count: int) -> tuple[int, tuple[int, ...]]:
    """How many games last `max_plies` moves and have moves without progress, and one of them.

    A move makes progress if it adds a piece, or if its action is played for the first time in the game. Games of progress
    alone can't go on for ever, so their greatest length isn't a limit that cuts them off.
    """
    used = np.zeros((count, subject.game.num_actions), np.bool_)
    idle = np.zeros(count, np.bool_)
    last = np.zeros(0, np.int64)
    for ply in games:
        repeated = used[ply.games, ply.actions]
        used[ply.games, ply.actions] = True
        idle[ply.games] |= repeated & (pieces(subject, ply.after) <= pieces(subject, ply.before))
        if ply.number == subject.game.max_plies - 1:
            last = ply.games[idle[ply.games]]
    return len(last), games.moves(int(last[0])) if len(last) else ()
