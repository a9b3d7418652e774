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
from trainer.replay import METADATA_COLUMNS, read_game, read_stamp
from trainer.replay.database.metadata import refuse_other_rules

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


def keep_layout(database: ForeignDatabase, layout: object, rules: str | None = "a hash") -> None:
    """Keep a layout of `chess`, with 3 x 3 cells, 9 actions and, if it is LAYOUT, 30 numbers per observation."""
    database.metadata(width=3, height=3, actions=9, obs_size=30, offset=19)
    database.connection.execute("CREATE TABLE game_layouts (env_id TEXT, layout TEXT, rules TEXT)")
    text = layout if isinstance(layout, str) else json.dumps(layout)
    database.connection.execute("INSERT INTO game_layouts VALUES ('chess', ?, ?)", (text, rules))
    database.connection.commit()


def test_a_layout_has_as_many_numbers_as_the_metadata_say(foreign: Callable[..., ForeignDatabase]) -> None:
    """It is that of a game whose rules are not known here. The legal moves are where the metadata say, too."""
    database = foreign("chess")
    keep_layout(database, LAYOUT)
    layout = load_game_config("chess", database.path).layout
    assert layout is not None
    assert (layout.planes, layout.features, layout.end) == (2, 1, 28)
    change(database, "legal_mask_offset = 18")
    mismatch = "has the legal moves from number 19 on, and its metadata says 18; name the file"
    with pytest.raises(GameError, match=rf"^the layout of chess in .*replay\.db {mismatch}"):
        load_game_config("chess", database.path)
    change(database, "obs_size = 31")
    mismatch = "has 30 numbers per observation, and its metadata says 31; name the file"
    with pytest.raises(GameError, match=rf"^the layout of chess in .*replay\.db {mismatch}"):
        load_game_config("chess", database.path)


@pytest.mark.parametrize("exchange", [[*range(9, 18), *range(9), *range(18, 28)], [*range(27, -1, -1)], None])
@pytest.mark.parametrize("actions", [[8, 7, 6, 5, 4, 3, 2, 1, 0], None])
def test_a_layout_comes_back(
    foreign: Callable[..., ForeignDatabase], exchange: list[int] | None, actions: list[int] | None
) -> None:
    """Its tables are read as they were written, and written as they were read."""
    database, content = foreign("chess"), LAYOUT | {"exchange": exchange, "actions": actions, "packed_moves": 9}
    keep_layout(database, content)
    game = load_game_config("chess", database.path)
    assert game.metadata.packed_moves == 9
    assert game.stored_rules is not None
    assert json.loads(game.stored_rules.layout) == content


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"exchange": [0, 1, 2]}, "exchange is not a list of 28 whole numbers"),
        ({"exchange": [99] * 28}, "exchange doesn't have each number from 0 to 27 once"),
        ({"exchange": [-1, *range(27)]}, "exchange doesn't have each number from 0 to 27 once"),
        ({"exchange": [1, 2, 0, *range(3, 28)]}, "exchange .* is not its own inverse"),
        ({"exchange": [10**30, *range(1, 28)]}, "exchange doesn't have each number from 0 to 27 once"),
        ({"exchange": [0.0, *range(1, 28)]}, "exchange is not a list of 28 whole numbers"),
        ({"exchange": "all"}, "exchange is not a list of 28 whole numbers"),
        ({"actions": [0] * 9}, "actions doesn't have each number from 0 to 8 once"),
        ({"actions": [*range(10)]}, "actions is not a list of 9 whole numbers"),
        ({"features": -8, "planes": 3}, "features is not a whole number from 0 on"),
        ({"planes": -2}, "planes is not a whole number from 0 on"),
        ({"planes": 2.5}, "planes is not a whole number from 0 on"),
        ({"planes": 10**4000}, "planes is not a whole number from 0 on"),
        ({"planes": True}, "planes is not a whole number from 0 on"),
        ({"packed_moves": -1}, "packed_moves is not a whole number from 0 on"),
        ({"packed_moves": 10**9}, "packed_moves is 1000000000, and there are 9 actions"),
        ({"packed_moves": None}, "packed_moves is not a whole number from 0 on"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_layout_that_no_game_can_have_is_refused(
    foreign: Callable[..., ForeignDatabase], wrong: dict[str, object], says: str
) -> None:
    """Kernels would read other memory by its tables, without a word."""
    database = foreign("chess")
    keep_layout(database, LAYOUT | wrong)
    with pytest.raises(GameError, match=rf"^the layout of chess in .*replay\.db can't be read \({says}.*\); name the"):
        load_game_config("chess", database.path)


@pytest.mark.parametrize("text", ["", "[]", '{"planes": 1e400}', "[" * 100_000], ids=lambda text: text[:20])
def test_a_layout_that_is_no_json_object_is_refused(foreign: Callable[..., ForeignDatabase], text: str) -> None:
    """Numbers that no float can hold, and endless nesting, are none either."""
    database = foreign("chess")
    keep_layout(database, text)
    with pytest.raises(GameError, match=r"can't be read \(it is not a JSON object\); name the file of its rules$"):
        load_game_config("chess", database.path)


def test_a_layout_that_lacks_a_table_is_refused(foreign: Callable[..., ForeignDatabase]) -> None:
    """Null says that there is none; nothing says nothing."""
    database = foreign("chess")
    keep_layout(database, {name: value for name, value in LAYOUT.items() if name != "actions"})
    with pytest.raises(GameError, match=r"can't be read \(it has no actions\)"):
        load_game_config("chess", database.path)


def test_a_layout_may_say_nothing_about_the_rules(foreign: Callable[..., ForeignDatabase]) -> None:
    """NULL is no hash, so the rules of whoever has some are not others."""
    database = foreign("tictactoe")
    keep_layout(database, LAYOUT, rules=None)
    change(database, "env_id = 'chess'")
    assert load_game_config("chess", database.path).stamp is None
    database.connection.execute("UPDATE game_layouts SET env_id = 'tictactoe'")
    database.connection.commit()
    assert read_stamp(database.path, "tictactoe") is None
    refuse_other_rules(database.connection, database.path, "tictactoe", "a hash")


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


def test_games_have_two_players(foreign: Callable[..., ForeignDatabase]) -> None:
    """NULL is in a column that was added later. Another number is refused, also if the dimensions would do."""
    database = foreign("chess")
    database.metadata(width=3, height=3, actions=9, obs_size=29, offset=18)
    change(database, "player_count = NULL")
    assert load_game_config("chess", database.path).metadata.player_count == 2
    for wrong, shown in (("3", "3"), ("1", "1"), ("0", "0"), ("-2", "-2"), ("2.5", "2.5"), ("'two'", "'two'")):
        change(database, f"player_count = {wrong}")
        message = f"^game_metadata of .*replay\\.db states {shown} players for chess; games here have two, so correct"
        with pytest.raises(ReplayError, match=message):
            load_game_config("chess", database.path)


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
