"""What `check` says of a game's size is what is stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from lines_of_play import random_lines
from run_files import store_games

from trainer.check.statistics import max_moves_advice
from trainer.games import game_of
from trainer.games.base import Game


@pytest.mark.parametrize(
    ("most", "changes", "advised"),
    [(20, {}, True), (60, {}, False), (20, {"max_moves": 40}, False), (20, {"num_actions": 100}, False)],
)
def test_max_moves_is_advised_where_few_of_many_actions_are_legal(
    most: int, changes: dict[str, int], advised: bool
) -> None:
    """Of 240 actions 20 are few, and 60 aren't. Who gives `max_moves` knows it; of 100 actions the memory is small."""
    game = Game(**({"env_id": "large", "width": 8, "height": 8, "num_actions": 240, "max_plies": 9} | changes))
    assert ("give max_moves" in max_moves_advice(game, most)) == advised


BLOBS = ("state", "next_state", "observation", "next_observation", "policy_probs", "action")


@pytest.mark.parametrize("env_id", ["tictactoe", "breakthrough"])
def test_bytes_per_row_are_those_of_a_stored_row(env_id: str, tmp_path: Path) -> None:
    """Of a game whose rows are as the contract says, and of one whose rows are packed."""
    store_games(tmp_path, env_id, [line.actions for line in random_lines(env_id, 1)])
    with closing(sqlite3.connect(tmp_path / "replay.db")) as connection:
        stored = connection.execute(
            f"SELECT {' + '.join(f'length({name})' for name in BLOBS)} FROM transitions"
        ).fetchone()
    assert stored == (game_of(env_id).row_bytes,)
