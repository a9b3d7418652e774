"""What `check` says of a game's size is what is stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from lines_of_play import random_lines
from run_files import store_games

from trainer.games import game_of

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
