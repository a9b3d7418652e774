"""Whether games end by themselves, also if the players avoid it, and are as long as GAME says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.check.checks.promises import look_at, look_at_end
from trainer.check.endless import check_endless
from trainer.check.findings import Examples, Finding, Level
from trainer.check.random_games import Choose, RandomGames
from trainer.check.subject import Subject, chosen
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions

MOST_SHORT = 200
"""Games whose mean length is compared with the usual one."""
MOST_MOVES = 8_000_000
"""Moves that are tried for each way to play."""
TOO_MANY = (
    "Self-play of an untrained network will look like that, and every such game teaches it the limit's result. Add a rule "
    "that ends such games sooner."
)
AVOIDED = (
    "Self-play begins with games like those of random moves, and {:,} of {:,} of these end so. If no rule ends games "
    "without progress sooner, add one; if one does, this is no mistake."
)

Good = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]
"""Which moves are good [R], by the number of pieces before and after them."""


@dataclass(frozen=True)
class Way:
    """A way to play: its description, how many games, how moves are chosen (None: at random)."""

    name: str
    games: int
    choose: Choose | None = None
    level: Level | None = Level.NOTE
    """How bad it is if most games reach the limit; None: it isn't."""


def check_length(subject: Subject) -> list[Finding]:
    """Look for positions that come back. Then play in several ways and count the games that `max_plies` ends, or doesn't."""
    findings = check_endless(subject)
    if findings:
        return findings
    findings, said, at_random = short_games(subject), False, 0
    for way in ways(subject):
        games = RandomGames(subject, way.games, way.choose)
        examples = Examples()
        reached, moves = capped(subject, way, games, examples)
        look_at_end(subject, games, examples)
        if examples:
            return [*findings, *examples.findings()]
        if way.choose is None:
            at_random = reached
        if way.level is not None and 2 * reached > way.games and not said:
            said = True
            text = (
                f"{reached:,} of {way.games:,} games {way.name} are only over because of "
                f"max_plies={subject.game.max_plies}: they have moves that are repeated and add no piece. "
            )
            text += TOO_MANY if way.choose is None else AVOIDED.format(at_random, subject.games)
            findings.append(Finding(way.level, text, moves))
    return findings


def short_games(subject: Subject) -> list[Finding]:
    """A warning if random games are far shorter than what GAME says of an ordinary game, or far longer than its default.

    If GAME gives `typical_plies`, longer games of random moves aren't a mistake: those of good players may be short.
    """
    count, usual = min(MOST_SHORT, subject.games), subject.game.usual_plies
    mean = sum(len(ply.games) for ply in RandomGames(subject, count)) / count
    given, long = bool(subject.game.typical_plies), mean > 3 * usual
    if usual <= 3 * mean and (given or not long):
        return []
    source = "typical_plies" if given else "by default, because typical_plies isn't given"
    harm = "end early, so games would repeat each other" if long else "fill most of a game"
    shorter = ", or to the length of good games, if those are shorter" if long else ""
    return [
        Finding(
            Level.WARNING,
            f"Random games last {mean:.1f} moves on average, but an ordinary game is taken to last {usual} ({source}). "
            f"Random openings, and the moves that self-play draws at random, would {harm}. Set typical_plies to "
            f"about {max(1, round(mean))}{shorter}.",
        )
    ]


def ways(subject: Subject) -> list[Way]:
    """At random, and those that make games long."""
    tried = subject.game.most_moves * subject.game.max_plies
    few = int(np.clip(MOST_MOVES // tried, 4, min(100, subject.games)))

    def preferring(is_good: Good) -> Choose:
        return lambda positions, legal, generator: chosen(preferred(subject, positions, legal, is_good), generator)

    return [
        Way("of random moves", subject.games, level=Level.WARNING),
        Way("of moves that avoid the end of the game", few, preferring(lambda before, after: after >= 0)),
        Way("of moves that capture nothing", few, preferring(lambda before, after: after >= before)),
        Way(
            "of moves that add no piece and take none",
            few,
            preferring(lambda before, after: after == before),
            level=None,
        ),
    ]


def preferred(subject: Subject, positions: Positions, legal: Mask, is_good: Good) -> Mask:
    """The good moves that don't end the game. If there are none, all that don't end it; if there are none, all."""
    rows, actions = np.nonzero(legal)
    after = positions.of(positions.states[rows])
    after.play(np.arange(len(rows)), actions)
    open_still = after.winner == OPEN
    good = open_still & is_good(pieces(subject, positions)[rows], pieces(subject, after))
    mask, others = np.zeros_like(legal), np.zeros_like(legal)
    mask[rows[good], actions[good]] = True
    others[rows[open_still], actions[open_still]] = True
    for instead in (others, legal):
        none = ~mask.any(axis=1)
        mask[none] = instead[none]
    return mask


def pieces(subject: Subject, positions: Positions) -> NDArray[np.int64]:
    """[R] cells that aren't empty."""
    found: NDArray[np.int64] = (subject.cells(positions.states) != 0).sum(axis=1)
    return found


def capped(subject: Subject, way: Way, games: RandomGames, examples: Examples) -> tuple[int, tuple[int, ...]]:
    """How many games last `max_plies` moves and have moves without progress, and one of them. In games that are played to be
    long it also looks at each position, because a counter may be large there alone; `check_promises` sees random games.

    A move makes progress if it adds a piece, or if its action is played for the first time in the game. Games of progress
    alone can't go on for ever, so their greatest length isn't a limit that cuts them off.
    """
    used = np.zeros((way.games, subject.game.num_actions), np.bool_)
    idle = np.zeros(way.games, np.bool_)
    last = np.zeros(0, np.int64)
    for ply in games:
        if way.choose and not examples:
            look_at(subject, ply, games, examples)
        repeated = used[ply.games, ply.actions]
        used[ply.games, ply.actions] = True
        idle[ply.games] |= repeated & (pieces(subject, ply.after) <= pieces(subject, ply.before))
        if ply.number == subject.game.max_plies - 1:
            last = ply.games[idle[ply.games]]
    return len(last), games.moves(int(last[0])) if len(last) else ()
