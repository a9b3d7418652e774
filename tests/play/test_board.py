"""Boards as text."""

from __future__ import annotations

import pytest

from trainer.games import rules_of
from trainer.games.position import Position
from trainer.play.board import BoardText, Marks


def drawn(env_id: str, *actions: int, marks: Marks | None = None) -> str:
    """The board after some actions, without its colours."""
    first = position = Position.first(rules_of(env_id))
    for action in actions:
        position = position.play(action)
    return BoardText(first).draw(position, marks or Marks()).plain


BOARDS = {
    ("tictactoe", (4, 0)): ["3 O . .", "2 . X .", "1 . . .", "  a b c"],
    ("hex:size=3", (4, 0)): ["1 B . .", " 2 . R .", "  3 . . .", "     a b c"],
    ("go:size=3", (4,)): ["3 . . .", "2 . X .", "1 . . .", "  A B C"],
    ("dots:rows=1,columns=1", (0,)): ["3 +---+", "2 .   .", "1 + . +", "  a b c"],
}


@pytest.mark.parametrize(("env_id", "actions"), BOARDS)
def test_boards_have_pieces_and_names(env_id: str, actions: tuple[int, ...]) -> None:
    """As people write them."""
    assert drawn(env_id, *actions).splitlines() == BOARDS[env_id, actions]


def test_a_board_of_columns_shows_the_column_that_would_be_played() -> None:
    """By an arrow above it; pieces fall."""
    lines = drawn("connect4", 3, 3, marks=Marks(cursor=5)).splitlines()
    assert lines[0].rstrip() == "           v"
    assert [line.split() for line in lines[-3:]] == [[*"...Y..."], [*"...R..."], [*"1234567"]]


def test_styles_tell_players_and_marks() -> None:
    """The cursor is reversed, what changed underlined, the players have colours of their own."""
    first = Position.first(rules_of("tictactoe"))
    position = first.play(4).play(0)
    text = BoardText(first).draw(position, Marks(cursor=8, changed=[0]))
    styles = {text.plain[span.start]: str(span.style) for span in text.spans if text.plain[span.start] in "XO"}
    assert styles["X"] != styles["O"]
    assert "underline" in styles["O"]
    assert sum("reverse" in str(span.style) for span in text.spans) == 1
