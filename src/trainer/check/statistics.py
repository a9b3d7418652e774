"""What a game is like: lengths, branching, results, sizes, speed, counts of lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trainer.actor.memory import actor_memory, within_memory
from trainer.check import lines
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.compile.linker import Linked
from trainer.games.base import DRAW, FIRST, OPEN, SECOND, Game
from trainer.games.kernels import link_kernels
from trainer.games.position import Position
from trainer.settings.groups.self_play import SelfPlaySettings

AUTOMATIC_DEPTH = 4
MOST_LINES = 20_000_000
"""Where counting stops, unless a depth was asked for."""
TIMED_SECONDS = 0.5
MANY_ACTIONS = 200
"""From this many on, memory for all of them is worth saving if few are ever legal at once."""


@dataclass(frozen=True)
class RandomPlay:
    """What was counted in random games."""

    games: int
    mean_plies: float
    most_plies: int
    mean_moves: float
    """Legal moves of a position."""
    most_moves: int
    results: tuple[int, int, int]
    """Games that the first player won, the second player won, drawn."""
    in_a_row: float
    """Share of moves after which the same player moves again."""


def random_play(subject: Subject) -> RandomPlay:
    """Count in random games."""
    games = RandomGames(subject, subject.games)
    lengths, results = np.zeros(subject.games, np.int64), np.zeros(4, np.int64)
    moves = positions = again = going = most = 0
    for ply in games:
        count = ply.legal.sum(axis=1)
        moves, positions, most = moves + int(count.sum()), positions + len(count), max(most, int(count.max()))
        lengths[ply.games] = ply.number + 1
        results += np.bincount(ply.after.winner, minlength=4)
        still = ply.after.winner == OPEN
        going, again = going + int(still.sum()), again + int((still & (ply.after.mover == ply.before.mover)).sum())
    return RandomPlay(
        subject.games,
        float(lengths.mean()),
        int(lengths.max()),
        moves / max(1, positions),
        most,
        (int(results[FIRST]), int(results[SECOND]), int(results[DRAW])),
        again / max(1, going),
    )


def linked_lines(subject: Subject) -> Linked:
    """The kernels of `lines.py`, without bounds checks."""

    def warm_up(linked: Linked) -> None:
        linked.lines.perft(Position.first(linked.rules).state, 1, False, 1)
        playouts(subject, linked, 1)

    return link_kernels(subject.env_id, lines, warm_up=warm_up)


def playouts(subject: Subject, linked: Linked, games: int) -> int:
    """Play random games; returns the number of moves."""
    game = subject.game
    state, mask = np.zeros(game.state_words, np.uint64), np.zeros(game.num_actions, np.bool_)
    found = np.zeros(game.num_actions, np.int32)
    played: int = linked.lines.playouts(games, subject.seed + 1, game.max_plies, state, mask, found)
    return played


def nanoseconds_per_move(subject: Subject, linked: Linked) -> float:
    """How long a move of a random game takes, legal moves included, of the processor's time."""
    games, spent, moves = 1, 0.0, 0
    while spent < TIMED_SECONDS:
        begun = time.thread_time()
        moves = playouts(subject, linked, games)
        spent = time.thread_time() - begun
        games *= 2 if spent > TIMED_SECONDS / 4 else 8
    return 1e9 * spent / moves


def perft(subject: Subject, linked: Linked, depth: int | None, by_turns: bool) -> tuple[list[int], bool]:
    """The number of lines of 1, 2, ... plies or turns; and whether it was stopped because there are too many."""
    first = Position.first(linked.rules).state
    longest = subject.game.max_plies
    counts: list[int] = []
    for wanted in range(1, (depth or AUTOMATIC_DEPTH) + 1):
        if depth is None and len(counts) > 1 and counts[-1] ** 2 // max(1, counts[-2]) > MOST_LINES:
            return counts, True
        if depth is None and len(counts) == 1 and counts[0] ** 2 > MOST_LINES:
            return counts, True
        counts.append(int(linked.lines.perft(first, wanted, by_turns, longest if by_turns else min(wanted, longest))))
        if not counts[-1]:
            break
    return counts, False


def max_moves_advice(game: Game, most: int) -> str:
    """What to add if memory is kept for many actions, of which at most `most` were legal at once in random games."""
    if game.max_moves or game.num_actions < MANY_ACTIONS or 4 * most >= game.num_actions:
        return ""
    return "; if you can prove a smaller maximum, give max_moves: rows, trees and the cache shrink with it"


def game_statistics(subject: Subject, depth: int | None) -> Iterator[tuple[str, str]]:
    """The statistics of a game, as (name, value)."""
    game, play = subject.game, random_play(subject)
    linked = linked_lines(subject)
    first, second, draws = (count / play.games for count in play.results)
    yield "plies", f"{play.mean_plies:.1f} on average, at most {play.most_plies} (max_plies={game.max_plies})"
    limit = f"max_moves={game.max_moves}" if game.max_moves else f"actions: {game.num_actions}"
    advice = max_moves_advice(game, play.most_moves)
    yield "legal moves", f"{play.mean_moves:.1f} on average, at most {play.most_moves} ({limit}){advice}"
    yield "results", f"the first player wins {first:.1%}, the second {second:.1%}, {draws:.1%} are draws"
    yield "moves in a row", f"after {play.in_a_row:.1%} of the moves the same player moves again"
    yield "bytes per row", f"{game.row_bytes:,}"
    memory = actor_memory(game, within_memory(game, SelfPlaySettings()))
    parts = ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in vars(memory).items() if name not in ("threads",))
    yield "actor's memory", f"{memory.total / 1e6:,.0f} MB per thread with default settings ({parts})"
    yield "speed", f"{nanoseconds_per_move(subject, linked):,.0f} ns per move of random games on one core"
    for name, by_turns in (("perft by plies", False), ("perft by turns", True)):
        counts, stopped = perft(subject, linked, depth, by_turns)
        shown = ", ".join(f"{count:,}" for count in counts)
        yield name, shown + (f" (then more than {MOST_LINES:,}; --depth counts further)" if stopped else "")
