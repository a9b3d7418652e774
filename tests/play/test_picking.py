"""Choosing a move with the arrow keys."""

from __future__ import annotations

import pytest

from trainer.games import rules_of
from trainer.games.base import FIRST
from trainer.play.game_in_progress import GameInProgress
from trainer.play.picking import Picker


def picker_of(env_id: str, *moves: str, near: int | None = None) -> Picker:
    """What one chooses from after some moves, by their names."""
    game = GameInProgress.new(rules_of(env_id), FIRST, 0)
    for name in moves:
        (action,) = (one.action for one in game.choices() if one.name == name)
        game.play(action)
    return Picker(game.dimensions, game.choices(), near)


def names(picker: Picker, *keys: str) -> list[int | None]:
    """Where the cursor is after each key."""
    found = []
    for key in keys:
        picker.go(key)
        found.append(picker.cursor)
    return found


def test_the_cursor_goes_from_cell_to_cell_and_stays_at_the_edge() -> None:
    """Tic-tac-toe from the centre."""
    assert names(picker_of("tictactoe"), "up", "left", "left", "down", "down", "right") == [1, 0, 0, 3, 6, 7]


def test_cells_that_can_not_be_chosen_are_passed_over() -> None:
    """The centre and the cell on its right are taken."""
    picker = picker_of("tictactoe", "b2", "c2", near=3)
    assert picker.cursor == 3
    assert names(picker, "up", "right", "down") == [0, 1, 7]


def test_the_nearest_neighbours_are_reached_on_boards_that_are_not_square() -> None:
    """Hex: up goes one row up. Dots: from an edge to those at its ends."""
    assert names(picker_of("hex:size=5", near=12), "up", "up", "down") == [7, 2, 6]
    assert names(picker_of("dots:rows=2,columns=2", near=1), "down", "down", "right", "up") == [5, 11, 7, 1]


def test_back_without_a_choice_moves_nothing() -> None:
    """The cursor stays."""
    picker = picker_of("tictactoe", near=0)
    picker.go("right")
    picker.back()
    assert picker.cursor == 1


def test_columns_are_in_one_row() -> None:
    """Connect 4: up and down do nothing."""
    assert names(picker_of("connect4"), "left", "up", "down", "right", "right") == [2, 2, 2, 3, 4]


def test_the_bottom_row_can_be_the_first() -> None:
    """Minichess: White's pawns and knights; up is to higher rows."""
    picker = picker_of("minichess", near=0)
    first = picker.cursor
    assert first is not None
    (up,) = names(picker, "up")
    assert up is not None
    assert up > first


def test_a_piece_is_chosen_before_its_goal() -> None:
    """Breakthrough: then only its goals are offered; back drops it."""
    picker = picker_of("breakthrough:rows=6,columns=5")
    begin = picker.cursor
    assert picker.choose() is None
    assert picker.chosen == [begin]
    goals = picker.targets()
    assert picker.cursor in goals
    assert len(goals) <= 3
    picker.back()
    assert (picker.chosen, picker.cursor) == ([], begin)
    picker.choose()
    move = picker.choose()
    assert move is not None
    assert move.cells[0] == begin


def test_moves_on_the_same_cells_are_told_apart_by_name() -> None:
    """Promotions; moves without cells are typed."""
    rules = rules_of("minichess")
    game = GameInProgress.new(rules, FIRST, 0)
    choices = game.choices()
    twins = [
        choices[0],
        *(type(choices[0])(90 + n, f"e5{letter}", choices[0].cells, [], []) for n, letter in enumerate("rn")),
    ]
    picker = Picker(game.dimensions, twins)
    assert picker.choose() is None
    assert picker.choose() is None
    assert picker.named is twins[0]
    picker.go("right")
    assert picker.named is twins[1]
    picker.go("left")
    picker.go("left")
    assert picker.choose() is twins[2]


@pytest.mark.parametrize("env_id", ["go:size=4", "othello"])
def test_a_pass_alone_can_be_chosen(env_id: str) -> None:
    """Where it is the only move, Enter makes it."""
    game = GameInProgress.new(rules_of(env_id), FIRST, 0)
    only = type(game.choices()[0])(game.dimensions.num_actions - 1, "pass", [], [], [])
    picker = Picker(game.dimensions, [only])
    assert picker.choose() is only
