"""Finished games, written whole by actors. P plies, A actions."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ReplayUnavailableError
from trainer.core.files import identity_of
from trainer.core.locks import locked
from trainer.replay import database
from trainer.replay.database import (
    METADATA_COLUMNS,
    ROWID_SPAN,
    SCHEMA,
    Metadata,
    check_columns,
    reporting,
    transaction,
)

log = logging.getLogger(__name__)

INSERT = files("trainer.replay").joinpath("insert.sql").read_text()
GAMES_AT_ONCE = 256
"""Games that one statement stores: it holds a copy of their arrays."""
PRUNE_SLICE = 1000
"""Rows of one deletion, so that no writer holds up another for long."""
PAGE_SIZE = 16_384
"""Bytes of a page of a new file. Of SQLite's usual 4,096 a row of Othello fills one, and half of it stays empty."""
LOG_LIMIT = 32 * 2**20
"""Bytes of the write-ahead log after which the writer empties it, instead of waiting for a moment without readers."""
LOG_PATIENCE = 1.0
"""Seconds that emptying it may wait for readers; other writers wait meanwhile."""
LOG_EVERY = 10.0
"""Seconds between two attempts to empty it."""


@dataclass(frozen=True)
class Episode:
    """One finished game, its last P plies."""

    env_id: str
    episode_id: str
    states: NDArray[np.uint8]
    """[P + 1, state bytes], the last one finished."""
    observations: NDArray[np.float32]
    """[P + 1, obs_size]"""
    actions: NDArray[np.uint32]
    """[P]"""
    visits: NDArray[np.float32]
    """[P, A], sums to 1 in each row that has a policy target."""
    has_policy: NDArray[np.bool_]
    """[P]"""
    values: NDArray[np.float32]
    """[P] value of the search for the mover."""
    outcomes: NDArray[np.float32]
    """[P] +1 the mover won the game, 0 draw, -1 lost."""
    first_ply: int = 0
    """Plies before those recorded here."""

    def __len__(self) -> int:
        return len(self.actions)


class ReplayWriter:
    """Appends whole games to a replay database, which is made if it isn't there."""

    def __init__(self, path: Path, metadata: Metadata, window: int | None = None) -> None:
        """Open the database for writing and state the game's dimensions in it.

        About the newest `window` positions stay in the file, by whole games; None: all of them.
        """
        self.path = path
        self._metadata = metadata
        self._window = window
        self._next_emptying = 0.0
        self._open()

    def write(self, episodes: Sequence[Episode]) -> None:
        """Store the games in one transaction: all of them are there when it returns, or none.

        Where the file was deleted or replaced since the last call they go into the one that has its name now.
        """
        firsts = range(0, len(episodes), GAMES_AT_ONCE)
        parts = [arrays_of(episodes[first : first + GAMES_AT_ONCE]) for first in firsts]
        with reporting(self.path):
            stored = False
            while not stored:
                if self._identity is None or identity_of(self.path) != self._identity:
                    if self._identity is not None:
                        log.warning("the replay database %s was deleted or replaced: going on in a new file", self.path)
                    self.close()
                    self._open()
                with transaction(self._connection) as connection:
                    for part in parts:
                        connection.execute(INSERT, part)
                stored = identity_of(self.path) == self._identity
        try:
            with reporting(self.path):
                self._empty_log()
                self._prune()
        except ReplayUnavailableError as error:  # the games are stored, and the next call tidies up
            log.debug("%s", error)

    def _open(self) -> None:
        """Open the file, or make it, one process at a time, with its tables and the game's dimensions."""
        with reporting(self.path), locked(self.path):
            if not self.path.exists():  # what a deleted database left would be taken for the new one's
                for suffix in ("-wal", "-shm", "-journal"):
                    self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=database.BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._identity = identity_of(self.path)
            try:
                self._connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # of no effect where there are tables
                self._prefer_write_ahead_log()
                check_columns(self._connection, self.path)
                self._connection.executescript(f"BEGIN IMMEDIATE;\n{SCHEMA}\nCOMMIT;")
                with transaction(self._connection) as connection:
                    connection.execute(
                        f"INSERT OR REPLACE INTO game_metadata ({', '.join(METADATA_COLUMNS)}) "
                        f"VALUES ({', '.join('?' * len(METADATA_COLUMNS))})",
                        tuple(getattr(self._metadata, name) for name in METADATA_COLUMNS),
                    )
            except BaseException:
                self.close()
                self._identity = None  # the next write opens it again
                raise

    def _prune(self) -> None:
        """Delete the oldest games, a slice at a time, while the file holds more than the window.

        Rowids are handed out in order, so their span is the number of rows, and the file reuses the pages of deleted ones.
        """
        if self._window is None:
            return
        while True:
            oldest, newest = self._connection.execute(ROWID_SPAN).fetchone()
            excess = 0 if oldest is None else newest - oldest + 1 - self._window
            if excess <= 0:
                return
            with transaction(self._connection) as connection:
                connection.execute(
                    "DELETE FROM transitions WHERE episode_id IN "
                    "(SELECT episode_id FROM transitions WHERE rowid BETWEEN ? AND ?)",
                    (oldest, oldest + min(excess, PRUNE_SLICE) - 1),
                )

    def _empty_log(self) -> None:
        """Move a long write-ahead log into the database; a reader that stays long puts it off, for writers would wait."""
        written = self.path.with_name(self.path.name + "-wal")
        if time.monotonic() < self._next_emptying or not written.exists() or written.stat().st_size <= LOG_LIMIT:
            return
        self._next_emptying = time.monotonic() + LOG_EVERY
        self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * LOG_PATIENCE)}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * database.BUSY_SECONDS)}")

    def last_episode(self, prefix: str) -> str | None:
        """The largest episode id that goes on with a digit after `prefix`."""
        with reporting(self.path):
            query = "SELECT max(episode_id) FROM transitions WHERE episode_id >= ? AND episode_id < ?"
            row = self._connection.execute(query, (prefix + "0", prefix + ":")).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _prefer_write_ahead_log(self) -> None:
        """Readers and writers then don't wait for each other; another process that is busy may keep the old mode."""
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        self._connection.execute("PRAGMA synchronous = NORMAL")


def arrays_of(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Games of one kind as the insert statement wants them."""
    plies = np.cumsum([0, *map(len, episodes)]).tolist()
    values = np.concatenate([episode.values for episode in episodes]).tolist()
    games = [
        (episode.episode_id, episode.env_id, episode.first_ply, begin, values[begin:end])
        for episode, begin, end in zip(episodes, plies[:-1], plies[1:], strict=True)
    ]
    states = joined([episode.states for episode in episodes], "u1")
    observations = joined([episode.observations for episode in episodes], "<f4")
    policies = joined([episode.visits for episode in episodes], "<f4")
    return {
        "games": json.dumps(games),
        "states": states,
        "state_width": states.strides[0],
        "observations": observations,
        "observation_width": observations.strides[0],
        "actions": joined([episode.actions for episode in episodes], "<u4"),
        "policies": policies,
        "policy_width": policies.strides[0],
        "has_policy": joined([episode.has_policy for episode in episodes], "?"),
        "outcomes": joined([episode.outcomes for episode in episodes], "i1"),
        "now": int(time.time()),
    }


def joined(arrays: Sequence[NDArray[Any]], kind: str) -> NDArray[Any]:
    """One array of the rows of several, as numbers of a little-endian kind ("<f4", "<u4", "u1")."""
    return np.ascontiguousarray(np.concatenate(arrays), kind)
