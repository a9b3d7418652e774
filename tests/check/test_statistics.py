"""What `check` says of a game's size is what is stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from unreliable import random_games

from trainer.actor.sink import DatabaseSink
from trainer.game_config import load_game_config
from trainer.games import game_of

BLOBS = ("state", "next_state", "observation", "next_observation", "policy_probs", "action")


@pytest.mark.parametrize("env_id", ["tictactoe", "breakthrough"])
def test_bytes_per_row_are_those_of_a_stored_row(env_id: str, tmp_path: Path) -> None:
    """Of a game whose rows are as the contract says, and of one whose rows are packed."""
    database = tmp_path / "replay.db"
    sink = DatabaseSink(database, load_game_config(env_id, database), None, tmp_path / "actor_stats.json", "a")
    sink.store(random_games(env_id, 1))
    sink.close()
    with closing(sqlite3.connect(database)) as connection:
        stored = connection.execute(
            f"SELECT {' + '.join(f'length({name})' for name in BLOBS)} FROM transitions"
        ).fetchone()
    assert stored == (game_of(env_id).row_bytes,)
