"""What the page and the terminal know of a board."""

from __future__ import annotations

from pathlib import Path

from trainer.games import rules_of
from trainer.games.position import Position
from trainer.play.drawing import target_names

DROPS = """
from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game

GAME = Game(env_id="drops", width=2, height=1, num_actions=3, max_plies=2, action_cells=((0,), (0,), (1,)))


def legal(state, mask):
    for action in range(3):
        mask[action] = state[WINNER] == OPEN and state[FLAGS + max(action - 1, 0)] == 0


def play(state, action):
    state[FLAGS + max(action - 1, 0)] = state[MOVER]
    state[MOVER] = 3 - int(state[MOVER])


def name(state, action):
    return ("K*a", "P*a", "second")[action]
"""


def test_cells_have_the_names_of_their_moves_unless_there_are_several(tmp_path: Path) -> None:
    """Pieces that one drops on a cell don't name it."""
    path = tmp_path / "drops.py"
    path.write_text(DROPS)
    assert target_names(Position.first(rules_of(str(path)))) == ["a1", "second"]
