"""Metadata that no game can have are refused in one sentence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ForeignDatabase

from trainer.core.errors import GameError, ReplayError
from trainer.game_config import load_game_config
from trainer.replay import METADATA_COLUMNS, read_game

LAYOUT = {"planes": 2, "features": 1, "exchange": None, "actions": None, "packed_moves": 0}
"""Of 3 x 3 cells and 9 actions: with the seat flags 2 * 9 + 1 + 9 + 2 = 30 numbers."""


def change(database: ForeignDatabase, what: str) -> None:
    """Change the metadata."""
    database.connection.execute(f"UPDATE game_metadata SET {what}")
    database.connection.commit()


def test_the_legal_moves_are_part_of_the_observation(foreign: Callable[..., ForeignDatabase]) -> None:
    """Nine from number 20 on fill an observation of 29 numbers, and are more than one of 28 has."""
    database = foreign("chess")
    database.metadata(width=3, height=3, actions=9, obs_size=29, offset=20)
    assert load_game_config("chess", database.path).metadata.obs_size == 29
    change(database, "obs_size = 28")
    contradiction = r"contradicts itself: legal_mask_offset 20 \+ num_actions 9 is more than obs_size 28$"
    with pytest.raises(GameError, match=rf"^the metadata of chess in .*replay\.db {contradiction}"):
        load_game_config("chess", database.path)


def test_a_layout_has_as_many_numbers_as_the_metadata_say(foreign: Callable[..., ForeignDatabase]) -> None:
    """It is that of a game whose rules are not known here."""
    database = foreign("chess")
    database.metadata(width=3, height=3, actions=9, obs_size=30, offset=19)
    database.connection.execute("CREATE TABLE game_layouts (env_id TEXT, layout TEXT, rules TEXT)")
    database.connection.execute("INSERT INTO game_layouts VALUES ('chess', ?, 'a hash')", (json.dumps(LAYOUT),))
    database.connection.commit()
    layout = load_game_config("chess", database.path).layout
    assert layout is not None
    assert (layout.planes, layout.features, layout.end) == (2, 1, 28)
    change(database, "obs_size = 31")
    mismatch = "has 30 numbers per observation, and its metadata says 31; name the file"
    with pytest.raises(GameError, match=rf"^the layout of chess in .*replay\.db {mismatch}"):
        load_game_config("chess", database.path)


def test_a_table_of_metadata_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    """With the columns that it lacks."""
    path = tmp_path / "replay.db"
    *there, players = METADATA_COLUMNS
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE game_metadata ({', '.join(there)})")
        with pytest.raises(
            ReplayError, match=rf"^the table game_metadata of .*replay\.db lacks {players}; start a new"
        ):
            read_game(path, "tictactoe")
        connection.execute(f"ALTER TABLE game_metadata ADD {players}")
        assert read_game(path, "tictactoe") == (None, None)


def test_names_that_are_no_text_are_damage(tmp_path: Path) -> None:
    """Here that of the table that a view is of, which SQLite quotes."""
    path = tmp_path / "replay.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW game_metadata AS SELECT * FROM nowhere")
        connection.commit()
    with pytest.raises(ReplayError, match=r"replay\.db can't be used: no such table: main\.nowhere$"):
        read_game(path, "tictactoe")
    path.write_bytes(path.read_bytes().replace(b"nowhere", b"\xff" * 7))
    with pytest.raises(ReplayError, match=r"^the replay database .*replay\.db can't be used: its names are not text$"):
        read_game(path, "tictactoe")
