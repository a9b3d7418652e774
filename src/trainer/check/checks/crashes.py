"""Where a function of the rules fails: which one, in which position, in which line."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import OPEN, WINNER, State
from trainer.games.position import Position

Call = Callable[[Any, State], object]
"""Calls one function of some rules on a state."""
OUT_OF_BOUNDS = ("index is out of bounds", "tuple index out of range")
"""What compiled code says, without the index."""


def crash(subject: Subject, games: RandomGames) -> Finding:
    """What raised an IndexError in compiled code, given the games as they were at that moment."""
    if games.positions is None:
        states = np.zeros((1, subject.game.state_words), np.uint64)
        if reaches_out(subject.kernels.rules, start, states[0]):
            what = f"start uses an index that is out of bounds{place(subject, start, states[0])}."
            return Finding(Level.FAILURE, what)
        subject.kernels.rules.start(states[0])
    else:
        states = games.positions.states
    for row, state in enumerate(states):
        line = games.moves(int(games.games[row])) if games.positions is not None else ()
        moves, action = (line[:-1], line[-1]) if games.actions is not None else (line, None)
        found = crash_at(subject, state, moves, action)
        if found:
            return found
    return Finding(Level.FAILURE, "A function uses an index that is out of bounds.")


def crash_at(subject: Subject, state: State, moves: tuple[int, ...], action: int | None) -> Finding | None:
    """What raises an IndexError in the position after `moves`, in `action`, or in the position after both; None: nothing."""
    rules = subject.kernels.rules
    for name, call in calls(subject, action):
        if reaches_out(rules, call, state):
            played = (*moves, action) if name == "play" and action is not None else moves
            text = f"{name} uses an index that is out of bounds{place(subject, call, state)}."
            return Finding(Level.FAILURE, text, played)
    if action is None:
        return None
    after = state.copy()
    rules.play(after, action)
    return crash_at(subject, after, (*moves, action), None)


def late_crash(subject: Subject, error: IndexError) -> Finding:
    """What raised an IndexError in a check after that of the promises.

    That one has called all functions but `from_cells` in the positions of random games. Raises the error once more if it
    doesn't come from compiled code: it is a bug of this package.
    """
    games = RandomGames(subject, subject.games)
    for ply in games:
        for row, stored in enumerate(ply.after.stored()):
            try:
                subject.restored(stored[None])
            except IndexError:
                where = place(subject, restore, ply.after.states[row])
                text = f"from_cells uses an index that is out of bounds{where}."
                return Finding(
                    Level.FAILURE, text, games.moves(int(ply.games[row]), ply.number + 1), out_of_bounds=True
                )
    if str(error) not in OUT_OF_BOUNDS:
        raise error
    text = (
        "A function uses an index that is out of bounds, in a position that the random games of the checks before don't "
        "have. Look for positions that come up seldom; more --games may show which."
    )
    return Finding(Level.FAILURE, text, out_of_bounds=True)


def restore(rules: Any, state: State) -> None:
    """Store a position and restore it."""
    Position.from_bytes(rules, Position(rules, state).to_bytes())


def start(rules: Any, state: State) -> None:
    """Write the first position."""
    rules.start(state)


def calls(subject: Subject, action: int | None) -> Iterator[tuple[str, Call]]:
    """Each function of the game by name, as a call."""
    game = subject.game
    yield (
        ("moves" if subject.has("moves") else "legal"),
        lambda rules, state: rules.legal(
            state, np.zeros(game.num_actions, np.bool_), np.zeros(game.num_actions, np.int32)
        ),
    )
    if action is not None:
        yield "play", lambda rules, state: rules.play(state, action)
    yield "cells", lambda rules, state: rules.cells(state, np.zeros(game.num_cells, np.uint8))
    if subject.has("features"):
        yield "features", lambda rules, state: rules.features(state, np.zeros(game.legal_mask_offset, np.uint8))
    if subject.has("wins_next"):

        def wins_next(rules: Any, state: State) -> bool:
            mask = np.zeros(game.num_actions, np.bool_)
            rules.legal(state, mask, np.zeros(game.num_actions, np.int32))
            return bool(rules.wins_next(state, mask)) if state[WINNER] == OPEN else False

        yield "wins_next", wins_next


def reaches_out(rules: Any, call: Call, state: State) -> bool:
    """Whether a call of the compiled rules raises an IndexError."""
    try:
        call(rules, state.copy())
    except IndexError:
        return True
    return False


def place(subject: Subject, call: Call, state: State) -> str:
    """What the uncompiled function says about it, and in which line."""
    try:
        with np.errstate(over="ignore"):
            call(subject.found.rules, state.copy())
    except Exception as error:
        raised = of_rules(error)
        return f" ({raised}; {line_of(subject, raised)})"
    return ""


def of_rules(error: Exception) -> Exception:
    """What somebody's rules raised, if a `Position` has made a GameError of it."""
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


def line_of(subject: Subject, error: Exception) -> str:
    """The last line of the game's file that an error passed through."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == str(subject.found.path)]
    return f"{subject.found.path}, line {frames[-1].lineno}: `{frames[-1].line}`" if frames else str(subject.found.path)
