"""Whether the compiled functions do what the plain ones do, and whether plain ones use negative indices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from trainer.check.checks.crashes import line_of
from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.core.python_file import PythonFile
from trainer.games.base import FLAGS, OPEN, WINNER, State
from trainer.games.library import run_file
from trainer.games.library.mistakes import source_line

GAMES = 5
BELOW_ZERO = "overflow encountered in scalar subtract"
"""What NumPy says of it."""
MOST_PLIES = 600
"""In all games together: plain functions are slow."""


class NegativeIndexError(IndexError):
    """An index below zero."""


class Guarded(np.ndarray):
    """An array that refuses negative indices. NumPy and Numba count those from the end."""

    def __getitem__(self, index: Any) -> Any:
        refuse_negative(index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        refuse_negative(index)
        super().__setitem__(index, value)


def refuse_negative(index: Any) -> None:
    """Raise NegativeIndexError for a number below zero, alone or in a tuple."""
    for each in index if isinstance(index, tuple) else (index,):
        if isinstance(each, int | np.integer) and each < 0:
            raise NegativeIndexError(f"the index {each} counts from the end of the array")


def check_plain(subject: Subject) -> list[Finding]:
    """Play a few random games with both, and compare everything at each ply."""
    games = RandomGames(subject, GAMES)
    for _ in games:
        pass
    guarded = guarded_rules(subject)
    findings: list[Finding] = []
    plies = 0
    with warnings.catch_warnings(record=True) as wrapped:
        warnings.simplefilter("ignore", RuntimeWarning)  # unsigned numbers wrap around, in compiled code silently
        warnings.filterwarnings("always", BELOW_ZERO, RuntimeWarning)
        for game in range(GAMES):
            moves = games.moves(game)
            state = subject.first(1).states[0]
            for number in range(len(moves) + 1):
                plies += 1
                action = moves[number] if number < len(moves) else None
                for text in differences(subject, subject.found.rules, state, action):
                    return [*findings, Finding(Level.FAILURE, text, moves[:number])]
                if not findings:
                    findings += below_zero(subject, wrapped, moves[: number + 1])
                if not findings:
                    findings += negative(subject, guarded, state, action, moves[:number])
                if action is None or plies > MOST_PLIES:
                    break
                subject.kernels.rules.play(state, action)
    return findings


def guarded_rules(subject: Subject) -> Any:
    """The complete plain rules, of which all arrays at the top of the file refuse negative indices."""
    found = subject.found
    own: ModuleType = run_file(PythonFile(found.path), f"guarded_{found.own.__name__}", dict(found.parameters))
    for name, value in list(vars(own).items()):
        if isinstance(value, np.ndarray):
            setattr(own, name, value.view(Guarded))
    return replace(found, own=own).rules


def outcomes(subject: Subject, rules: Any, state: State, action: int | None) -> Iterator[tuple[str, Any]]:
    """What each function of the rules makes of a position, by the function's name."""
    game = subject.game
    kind = Guarded if isinstance(state, Guarded) else np.ndarray
    mask = np.zeros(game.num_actions, np.bool_).view(kind)
    board = np.zeros(game.num_cells, np.uint8).view(kind)
    rules.legal(state, mask, np.zeros(game.num_actions, np.int32).view(kind))
    yield "moves" if subject.has("moves") else "legal", np.asarray(mask)
    rules.cells(state, board)
    yield "cells", np.asarray(board)
    back = state.copy()
    back[FLAGS + game.flag_words : len(back) - game.raw_words] = 0  # as where stored positions are restored
    rules.from_cells(board, back)
    yield "from_cells", np.asarray(back)
    if subject.has("features"):
        view = np.zeros(game.legal_mask_offset, np.uint8).view(kind)
        rules.features(state, view)
        yield "features", np.asarray(view)
    if subject.has("wins_next") and state[WINNER] == OPEN:
        yield "wins_next", np.asarray(bool(rules.wins_next(state, mask)))
    if action is not None:
        after = state.copy()
        rules.play(after, action)
        yield f"play with action {action}", np.asarray(after)


def differences(subject: Subject, plain: Any, state: State, action: int | None) -> Iterator[str]:
    """A sentence if compiled and plain functions differ in a position."""
    compiled = outcomes(subject, subject.kernels.rules, state, action)
    name = "legal"
    try:
        for (name, slow), (_, fast) in zip(outcomes(subject, plain, state.copy(), action), compiled, strict=True):
            if not np.array_equal(slow, fast):
                at = int(np.flatnonzero(np.atleast_1d(slow) != np.atleast_1d(fast))[0])
                yield (
                    f"{name} does something else when it is compiled: place {at} of what it writes is "
                    f"{np.atleast_1d(fast)[at]} instead of {np.atleast_1d(slow)[at]}. Look for numbers that are too large "
                    "for their type, for negative unsigned numbers and for shifts by 64 bits or more."
                )
                return
    except Exception as error:  # whatever somebody's rules raise
        yield f"Uncompiled, the rules fail after {name}: {type(error).__name__}: {error} ({line_of(subject, error)})."


def below_zero(subject: Subject, wrapped: list[warnings.WarningMessage], moves: tuple[int, ...]) -> list[Finding]:
    """A warning if the plain functions subtracted more from a word than it holds; `wrapped` has what NumPy said so far."""
    told = (each for each in wrapped if str(each.message) == BELOW_ZERO and Path(each.filename) == subject.found.path)
    lines = {each.lineno for each in told}
    if not lines:
        return []
    where = "; ".join(f"line {line}: `{source_line(subject.found.path, line)}`" for line in sorted(lines))
    return [
        Finding(
            Level.WARNING,
            f"{subject.found.path}, {where}: a word would go below zero, and becomes a huge number instead, so that `> 0` "
            "is true. Subtract signed numbers: np.int64(a) - np.int64(b); int(...) of a word is still unsigned once it is "
            "compiled. If only the bits matter, this isn't a mistake.",
            moves,
        )
    ]


def negative(subject: Subject, rules: Any, state: State, action: int | None, moves: tuple[int, ...]) -> list[Finding]:
    """A warning if a function uses a negative index in a position."""
    try:
        for _ in outcomes(subject, rules, state.copy().view(Guarded), action):
            pass
    except NegativeIndexError as error:
        return [
            Finding(
                Level.WARNING,
                f"{error} ({line_of(subject, error)}). NumPy and Numba allow that, but it is seldom meant: a neighbour "
                "beyond the edge of the board becomes a cell of the last row.",
                (*moves, action) if action is not None else moves,
            )
        ]
    return []
