"""Whether people can tell the moves apart, and click on them."""

from __future__ import annotations

from collections import Counter

from trainer.check.findings import Finding, Level
from trainer.check.random_games import RandomGames
from trainer.check.subject import Subject
from trainer.games.base import Game
from trainer.games.position import Position

MOST_GAMES = 20
"""Games whose moves are looked at, one game after the other: plain Python makes their names, which is slow."""


def check_names(subject: Subject) -> list[Finding]:
    """A warning if the page can't know what to click on, or else if two legal moves of a position have one name."""
    if beyond_cells(subject.game) > 1:
        return [Finding(Level.WARNING, without_cells(subject.game))]
    games = RandomGames(subject, min(MOST_GAMES, subject.games))
    for ply in games:
        position = Position(subject.found.rules, ply.before.states[0].copy())
        names = Counter(map(position.name, position.legal))
        twice = [name for name, times in names.items() if times > 1]
        if twice:
            actions = [action for action in position.legal if position.name(action) == twice[0]]
            text = (
                f"The legal moves {', '.join(map(str, actions))} are all called {twice[0]!r}. The page and the reports show "
                "moves by their names; write a function `name(state, action)` that tells them apart."
            )
            return [Finding(Level.WARNING, text, games.moves(int(ply.games[0]), ply.number))]
    return []


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
