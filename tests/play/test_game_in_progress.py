"""The game in progress, as the page and the terminal see it."""

from __future__ import annotations

import pytest

from trainer.games import rules_of
from trainer.games.base import FIRST
from trainer.games.position import Position
from trainer.play.game_in_progress import GameInProgress


def test_the_choices_of_a_position_list_its_legal_moves_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing them again for each move would be slow in a game with hundreds."""
    listed: list[Position] = []
    legal = Position.legal.fget
    assert legal is not None

    def noted(position: Position) -> list[int]:
        listed.append(position)
        return list(legal(position))

    monkeypatch.setattr(Position, "legal", property(noted))
    game = GameInProgress.new(rules_of("tictactoe"), FIRST, 1)
    assert [choice.action for choice in game.choices()] == list(range(9))
    assert len(listed) == 1
