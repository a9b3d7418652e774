"""A replay database of a run: the list of its games, and the rows of one game. It is only read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.core.errors import ReplayError
from trainer.games import game_of, is_available
from trainer.games.base import DRAW, FIRST, OPEN, SECOND, WINNER
from trainer.games.state_blob import parts_of
from trainer.replay import check_columns, columns_of, open_for_reading, read_stamp, reporting
from trainer.web.runs.missing import MissingError

PAGE_GAMES = 24
"""Games in one answer."""
SLICE_ROWS = 20_000
"""Rows per query, so that no reader holds up a writer for long."""
MAX_SECONDS = 0.7
"""Time that one search for games may take; the answer then says where to go on."""
BUSY_SECONDS = 2.0
"""How long to wait for a writer's lock. Somebody waits for the page."""


@dataclass(frozen=True)
class StoredGame:
    """One game in the list."""

    episode_id: str
    env_id: str
    plies: int
    winner: int | None
    """OPEN, FIRST, SECOND or DRAW; None if it can't be told."""
    timestamp: int
    """When it was stored, Unix seconds."""
    row: int
    """The rowid of its last row."""


class ReplayFile:
    """A replay database that actors write to, and that may be missing or damaged. Each call opens it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def changed(self) -> float:
        """When it was last written, Unix seconds; 0 if there is no such file."""
        return modified(self.path)

    def stamp(self, env_id: str) -> str | None:
        """The hash of the rules by which the games called `env_id` were played; None if the database states none."""
        try:
            return read_stamp(self.path, env_id, BUSY_SECONDS)
        except ReplayError:
            return None

    def env_id(self) -> str | None:
        """The game whose rows the database holds, by its metadata; None if it names no game or several."""
        try:
            with closing(open_for_reading(self.path, BUSY_SECONDS)) as connection, reporting(self.path):
                if "env_id" not in columns_of(connection, "game_metadata"):
                    return None
                rows = connection.execute("SELECT env_id FROM game_metadata LIMIT 2").fetchall()
        except ReplayError:
            return None
        return str(rows[0][0]) if len(rows) == 1 else None

    def games(
        self, winner: int | None, times: tuple[int, int], before: int | None
    ) -> tuple[list[StoredGame], int | None]:
        """Up to PAGE_GAMES games, the newest first, and the `before` to go on with; None at the end.

        `winner`: only games with this result. `times`: only games stored within these seconds, both included. `before`:
        only rows with a smaller rowid. Raises MissingError.
        """
        games: list[StoredGame] = []
        with self._reading() as connection:
            newest = self._newest_row(connection, times[1], before)
            end = time.monotonic() + MAX_SECONDS
            while time.monotonic() < end:
                rows = connection.execute(
                    "SELECT rowid, episode_id, env_id, step_number, timestamp, next_state FROM transitions "
                    "WHERE rowid <= ? AND rowid > ? AND done = 1 AND typeof(timestamp) = 'integer' "
                    "AND typeof(step_number) = 'integer' AND typeof(episode_id) = 'text' AND typeof(env_id) = 'text' "
                    "ORDER BY rowid DESC",
                    (newest, newest - SLICE_ROWS),
                )
                for row in rows:
                    if row["timestamp"] < times[0]:
                        return games, None
                    found = winner_of(row["env_id"], row["next_state"])
                    if row["timestamp"] > times[1] or (winner is not None and found != winner):
                        continue
                    plies = row["step_number"] + 1
                    games.append(
                        StoredGame(row["episode_id"], row["env_id"], plies, found, row["timestamp"], row["rowid"])
                    )
                    if len(games) == PAGE_GAMES:
                        return games, row["rowid"]
                newest -= SLICE_ROWS
                if newest <= 0:
                    return games, None
        return games, newest + 1

    def rows(self, episode_id: str) -> list[dict[str, Any]]:
        """The rows of one game in order; none if there is no such game. Raises MissingError.

        A game that is longer than its rules allow has one row too many; further ones are left out. So are all but the
        first row of a game whose rules are not known here.
        """
        with self._reading() as connection:
            first = connection.execute(
                "SELECT env_id FROM transitions WHERE episode_id = ? LIMIT 1", (episode_id,)
            ).fetchone()
            most = longest_game(first["env_id"]) if first else 0
            rows = connection.execute(
                "SELECT env_id, step_number, state, action, next_state, policy_probs, mcts_value, game_outcome "
                "FROM transitions WHERE episode_id = ? ORDER BY step_number LIMIT ?",
                (episode_id, most + 1),
            ).fetchall()
        return [dict(row) for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection. Raises MissingError if there is no database, or it can't be used."""
        if not self.path.exists():
            raise MissingError("There is no replay.db in this run yet; games appear once an actor has stored some.")
        try:
            with closing(open_for_reading(self.path, BUSY_SECONDS)) as connection, reporting(self.path):
                if not check_columns(connection, self.path):
                    raise MissingError("The replay.db of this run holds no games yet.")
                connection.row_factory = sqlite3.Row
                yield connection
        except ReplayError as error:
            raise MissingError(f"The replay.db of this run can't be read: {error}.") from error

    def _newest_row(self, connection: sqlite3.Connection, last_second: int, before: int | None) -> int:
        """The rowid to search downwards from."""
        top = connection.execute("SELECT max(rowid) FROM transitions").fetchone()[0] or 0
        if before is not None:
            return min(top, before - 1)
        by_time = connection.execute(
            "SELECT max(rowid) FROM (SELECT rowid FROM transitions WHERE timestamp <= ? ORDER BY timestamp DESC LIMIT 500)",
            (last_second,),
        ).fetchone()
        return min(top, by_time[0] or 0)


def modified(path: Path) -> float:
    """When a file was last written, Unix seconds; 0 if there is no such file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def winner_of(env_id: str, state: object) -> int | None:
    """The winner byte of a state blob; None if the game is unknown or the blob isn't one of its states."""
    if not isinstance(state, bytes) or not is_available(env_id):
        return None
    game = game_of(env_id)
    if len(state) != game.state_bytes:
        return None
    winner = int(parts_of(game, np.frombuffer(state, np.uint8)).words[WINNER])
    return winner if winner in (OPEN, FIRST, SECOND, DRAW) else None


def longest_game(env_id: object) -> int:
    """The plies that no game of this env_id exceeds; 0 if its rules are not known here."""
    return game_of(env_id).max_plies if isinstance(env_id, str) and is_available(env_id) else 0
