"""Whether people can tell the moves apart, and click on them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from trainer.check.checks.crashes import line_of, of_rules
from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import OPEN, Game
from trainer.games.position import Position

MOST_GAMES = 20
"""Games whose moves are looked at, one game after the other: plain Python makes their names, which is slow."""
MOST_CELLS = 20_000_000
"""Cells of all positions whose boards before and after a move are compared."""
ENOUGH = 5
"""How often an action must have changed other cells than its own before that is said."""


def check_names(subject: Subject) -> list[Finding]:
    """A warning if the page can't know what to click on, or else if two legal moves of a position have one name, or if
    actions change other cells than those that one clicks on.

    A failure if the game's own `name`, `text` or `score` raises anything.
    """
    unplaced = [Finding(Level.WARNING, without_cells(subject.game))] if beyond_cells(subject.game) > 1 else []
    games = RandomGames(subject, min(MOST_GAMES, subject.games))
    for ply in games:
        position = Position(subject.found.rules, ply.before.states[0].copy())
        after = Position(subject.found.rules, ply.after.states[0].copy())
        moves = games.moves(int(ply.games[0]), ply.number)
        failed = not_shown(subject, position, moves)
        if failed is None and after.winner != OPEN:
            failed = not_shown(subject, after, games.moves(int(ply.games[0]), ply.number + 1))
        if failed:
            return [failed]
        names: dict[int, str] = {}
        for action in position.legal:
            try:
                names[action] = position.name(action)
            except Exception as error:  # whatever somebody's rules raise
                if not subject.has("name"):
                    raise
                return [failing(subject, f"name fails for action {action}", error, moves)]
        if unplaced:
            continue
        twice = [name for name, times in Counter(names.values()).items() if times > 1]
        if twice:
            actions = [action for action, name in names.items() if name == twice[0]]
            text = (
                f"The legal moves {', '.join(map(str, actions))} are all called {twice[0]!r}. The page and the reports show "
                "moves by their names; write a function `name(state, action)` that tells them apart."
            )
            return [Finding(Level.WARNING, text, moves)]
    return unplaced or misplaced(subject)


def misplaced(subject: Subject) -> list[Finding]:
    """A warning if some actions always change the board, but never one of their cells in `action_cells`."""
    game = subject.game
    if not game.action_cells:
        return []
    own = np.zeros((game.num_actions, game.num_cells), np.bool_)
    for action, cells in enumerate(game.action_cells):
        own[action, list(cells)] = True
    elsewhere, here = np.zeros((2, game.num_actions), np.int64)
    example: dict[int, tuple[int, ...]] = {}
    games = RandomGames(subject, subject.games_worth(MOST_CELLS, game.num_cells))
    for ply in games:
        changed = subject.cells(ply.before.states) != subject.cells(ply.after.states)
        hit = (changed & own[ply.actions]).any(axis=1)
        missed = changed.any(axis=1) & own[ply.actions].any(axis=1) & ~hit
        np.add.at(here, ply.actions[hit], 1)
        np.add.at(elsewhere, ply.actions[missed], 1)
        for row in np.flatnonzero(missed):
            if ply.actions[row] not in example:
                example[int(ply.actions[row])] = games.moves(int(ply.games[row]), ply.number + 1)
    wrong = np.flatnonzero((elsewhere >= ENOUGH) & (here == 0))
    if not len(wrong):
        return []
    action = int(wrong[0])
    more = f" The same is true of {len(wrong) - 1:,} more actions." if len(wrong) > 1 else ""
    text = (
        f"action_cells says {game.action_cells[action]} of action {action}, but none of these cells changes when it is "
        f"played, though others do ({elsewhere[action]:,} times in random games).{more} The page plays the action whose "
        "cells one clicks on, so it may be another one than people mean. Look for rows and columns that are exchanged."
    )
    return [Finding(Level.WARNING, text, example[action])]


def not_shown(subject: Subject, position: Position, moves: tuple[int, ...]) -> Finding | None:
    """A failure if the game's own `text` or `score` raises anything in the position after `moves`."""
    if subject.has("text"):
        try:
            str(position)
        except Exception as error:  # as above
            return failing(subject, "text fails", error, moves)
    try:
        _ = position.score
    except Exception as error:  # as above
        return failing(subject, "score, which returns the points of both players, fails", error, moves)
    return None


def failing(subject: Subject, what: str, error: Exception, moves: tuple[int, ...]) -> Finding:
    """A failure of a function that people need, with what was raised and the line."""
    raised = of_rules(error)
    return Finding(Level.FAILURE, f"{what}: {type(raised).__name__}: {raised} ({line_of(subject, raised)}).", moves)


def beyond_cells(game: Game) -> int:
    """How many actions have no place on the board, if action a is cell a or column a; 0 if GAME says what they are."""
    return 0 if game.action_cells else max(0, game.num_actions - game.num_targets)


def without_cells(game: Game) -> str:
    """What the page makes of a game with more actions than places."""
    what = "column" if game.board_type == "drop_column" else "cell"
    return (
        f"GAME has {game.num_actions} actions and no action_cells. The page then takes action a for {what} a, and the last "
        f"{beyond_cells(game)} for passes, so people can't play them. Give action_cells: for each action the cells that one "
        "clicks on, such as (from, to), and () for a pass."
    )
