"""The lines that name positions, each by the moves that lead to it from the first position."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trainer.core.errors import GameError, shortened
from trainer.core.json_values import json_object
from trainer.games.position import Position, listed
from trainer.games.vocabulary import action_named

LONGEST_NUMBER = 9
"""Digits of a number that may be an action."""


@dataclass(frozen=True)
class Line:
    """The position that a line names, and the actions that lead to it."""

    position: Position
    actions: list[int]


def read_lines(lines: Iterable[str], source: str, rules: Any) -> list[Line]:
    """Every line as a position of the game with these rules; `source` is what errors call where they come from.

    Raises GameError, with the number of the line, for moves that can't be read or aren't legal.
    """
    return [read_line(text, f"{source}, line {number}", rules) for number, text in enumerate(lines, 1)]


def read_line(text: str, where: str, rules: Any) -> Line:
    """One line: an empty one is the first position. Raises GameError, which begins with `where`."""
    position = Position.first(rules)
    numbered = any(position.name(action).isdecimal() for action in position.legal)
    actions: list[int] = []
    moves = moves_in(text.removeprefix("\ufeff"), where)
    for move in moves:
        legal = position.legal
        action = action_of(position, legal, move, numbered)
        if action is None:
            before = " ".join(map(str, moves[: len(actions)]))
            place = f"after {before}" if before else "in the first position"
            shown = listed(legal if isinstance(move, int) else [position.name(each) for each in legal])
            shown = shown or "none, because the game is over"
            raise GameError(f"{where}: {shortened(move)} is not a legal move {place}; legal are {shown}")
        actions.append(action)
        position = position.after(action)
    return Line(position, actions)


def moves_in(text: str, where: str) -> list[str | int]:
    """The moves of a line: words, or the list `moves` of a JSON object, in which numbers are those of actions."""
    if not text.lstrip().startswith("{"):
        return list(text.split())
    moves = (json_object(text) or {}).get("moves")
    if not isinstance(moves, list) or not all(type(move) in (int, str) for move in moves):
        raise GameError(
            f'{where} is {shortened(text.strip())}, which is not a JSON object with a list "moves" of names or numbers; '
            f'write {{"moves": [3, 3, 2]}}, or the moves alone with spaces between them'
        )
    return moves


def action_of(position: Position, legal: list[int], move: str | int, numbered: bool) -> int | None:
    """The legal action that a move names; None if it names none.

    `numbered`: the game calls its moves by numbers, as Connect 4 does its columns, so a word is such a name and never an
    action's number.
    """
    if isinstance(move, str):
        names = {position.name(action): action for action in legal}
        named = action_named(names, move)
        if named is not None or numbered or any(map(str.isdecimal, names)):
            return named
        if not (move.isascii() and move.isdecimal() and len(move) <= LONGEST_NUMBER):
            return None
    return int(move) if int(move) in legal else None
