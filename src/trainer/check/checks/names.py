"""Whether people can tell the moves apart, and click on them."""

from __future__ import annotations

from collections import Counter

from trainer.check.checks.crashes import line_of
from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import OPEN, Game
from trainer.games.position import Position

MOST_GAMES = 20
"""Games whose moves are looked at, one game after the other: plain Python makes their names, which is slow."""


def check_names(subject: Subject) -> list[Finding]:
    """A warning if the page can't know what to click on, or else if two legal moves of a position have one name.

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
    return unplaced


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
    return Finding(Level.FAILURE, f"{what}: {type(error).__name__}: {error} ({line_of(subject, error)}).", moves)


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
