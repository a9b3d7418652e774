"""What a replay database states of a game: its dimensions, the layout of its observations, a hash of its rules."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainer.core.errors import ReplayError, shortened
from trainer.games.library.stamp import rules_differ
from trainer.replay.database.connection import open_for_reading, reporting
from trainer.replay.database.tables import LAYOUTS, columns_of

LARGEST_COUNT = 65_536
"""The largest dimension of a game that is accepted. A larger one means a damaged file, and would fill the memory."""
METADATA_COLUMNS = (
    "env_id",
    "display_name",
    "board_width",
    "board_height",
    "num_actions",
    "obs_size",
    "legal_mask_offset",
    "player_count",
)


@dataclass(frozen=True)
class Metadata:
    """A game's dimensions: a row of `game_metadata`."""

    env_id: str
    display_name: str
    board_width: int
    board_height: int
    num_actions: int
    obs_size: int
    legal_mask_offset: int
    player_count: int = 2
    packed_moves: int = 0
    """The most legal moves of a position, if rows are stored in packed form (see `packing.py`); else 0."""


class StoredRules(NamedTuple):
    """What a database keeps of a game that the contract doesn't know: a row of `game_layouts`."""

    layout: str
    """The layout of its observations as JSON."""
    stamp: str | None
    """A hash of the rules by which its games were played; None: it states none."""


def read_game(path: Path, env_id: str) -> tuple[Metadata | None, StoredRules | None]:
    """The dimensions that the database states for a game, and what it keeps of its rules; None for what it doesn't have.

    A file that doesn't exist has neither. Raises ReplayError.
    """
    if not path.exists():
        return None, None
    with closing(open_for_reading(path)) as connection, reporting(path):
        return metadata_in(connection, path, env_id), rules_in(connection, env_id)


def read_stamp(path: Path, env_id: str, busy_seconds: float | None = None) -> str | None:
    """The hash of the rules by which the games of a database were played; None if it states none, or if there is no file.

    `busy_seconds` is that of `open_for_reading`. Raises ReplayError.
    """
    if not path.exists():
        return None
    with closing(open_for_reading(path, busy_seconds)) as connection, reporting(path):
        kept = rules_in(connection, env_id)
    return kept.stamp if kept else None


def metadata_in(connection: sqlite3.Connection, path: Path, env_id: str) -> Metadata | None:
    """The dimensions that the open database at `path` states for a game; None if it states none."""
    found = columns_of(connection, "game_metadata")
    if not found:
        return None
    if missing := [name for name in METADATA_COLUMNS if name not in found]:
        raise ReplayError(f"the table game_metadata of {path} lacks {', '.join(missing)}; start a new file")
    query = f"SELECT {', '.join(METADATA_COLUMNS)} FROM game_metadata WHERE env_id = ?"
    row = connection.execute(query, (env_id,)).fetchone()
    if row is None:
        return None
    *dimensions, players = row
    for name, value in zip(METADATA_COLUMNS[2:-1], dimensions[2:], strict=True):
        if not isinstance(value, int) or not (0 if name == "legal_mask_offset" else 1) <= value <= LARGEST_COUNT:
            raise ReplayError(
                f"game_metadata of {path} states {name} = {shortened(value)} for {env_id}; "
                f"a count up to {LARGEST_COUNT} is needed"
            )
    if players not in (None, 2):  # NULL: the column was added later
        raise ReplayError(
            f"game_metadata of {path} states {shortened(players)} players for {env_id}; games here have two, so correct the "
            f"row, or give the database of another game with --db"
        )
    return Metadata(*dimensions)


def rules_in(connection: sqlite3.Connection, env_id: str) -> StoredRules | None:
    """What an open database keeps of a game's rules; None if it keeps nothing."""
    if not columns_of(connection, "game_layouts"):
        return None
    row = connection.execute("SELECT layout, rules FROM game_layouts WHERE env_id = ?", (env_id,)).fetchone()
    return StoredRules(str(row[0]), None if row[1] is None else str(row[1])) if row else None


def refuse_other_rules(connection: sqlite3.Connection, path: Path, env_id: str, stamp: str | None) -> None:
    """Raise ReplayError if the file at `path` holds games that were played by other rules than those with this hash."""
    kept = rules_in(connection, env_id) if stamp else None
    if kept and rules_differ(kept.stamp, stamp):
        raise ReplayError(
            f"the games in {path} are played by other rules of {env_id}: their hash is {kept.stamp}, and that of the rules "
            f"here is {stamp}; give another database, or the rules of that run"
        )


def state_game(connection: sqlite3.Connection, path: Path, metadata: Metadata, rules: StoredRules | None) -> None:
    """State the dimensions of a game in the open database at `path`, and what there is to keep of its rules, if anything.

    Raises ReplayError if the file holds games that were played by other rules.
    """
    connection.execute(
        f"INSERT OR REPLACE INTO game_metadata ({', '.join(METADATA_COLUMNS)}) "
        f"VALUES ({', '.join('?' * len(METADATA_COLUMNS))})",
        tuple(getattr(metadata, name) for name in METADATA_COLUMNS),
    )
    if rules:
        connection.execute(LAYOUTS)
        refuse_other_rules(connection, path, metadata.env_id, rules.stamp)
        connection.execute("INSERT OR REPLACE INTO game_layouts VALUES (?, ?, ?)", (metadata.env_id, *rules))
