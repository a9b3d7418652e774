"""The newest rows of a database: the window outside which an actor deletes old games."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from trainer.core.errors import ReplayError
from trainer.replay.database.connection import transaction
from trainer.replay.database.tables import ROWID_SPAN, check_columns, columns_of

PRUNE_SLICE = 1000
"""Rows deleted at a time; few enough that no writer delays another for long."""
PRUNE_SLICES = 10
"""A write deletes at most this many slices, and twice as many rows as it added. So a file with millions of rows too many
shrinks over many writes. Between them an actor can stop."""


class Window:
    """About the newest rows of one game in one open database, as whole games."""

    def __init__(self, rows: int, env_id: str) -> None:
        """`rows`: how many stay."""
        self._rows = rows
        self._env_id = env_id
        self._passed = 0  # below this rowid there are only rows of other games

    def prune(self, connection: sqlite3.Connection, written: int) -> None:
        """Delete the oldest games before the window, a slice at a time; never the newest, nor another game's.

        It ends after PRUNE_SLICES and twice the rows just `written`; the next call goes on. Rowids are assigned in order, so
        their span is the number of rows. The file reuses the pages of deleted rows. Raises sqlite3.Error.
        """
        for _ in range(PRUNE_SLICES + 2 * written // PRUNE_SLICE):
            oldest, newest = (found or 0 for found in connection.execute(ROWID_SPAN).fetchone())
            if newest < self._passed:  # all rows were deleted, and the next ones numbered anew
                self._passed = 0
            first = max(oldest, self._passed)
            last = min(first + PRUNE_SLICE - 1, newest - self._rows)
            if last < first:
                return
            with transaction(connection):
                deleted = connection.execute(
                    "DELETE FROM transitions WHERE episode_id IN "
                    "(SELECT episode_id FROM transitions WHERE rowid BETWEEN ? AND ? AND env_id = ?) "
                    "AND episode_id != (SELECT episode_id FROM transitions WHERE rowid = ?)",
                    (first, last, self._env_id, newest),
                )
            if not deleted.rowcount:
                self._passed = last + 1


def refuse_other_games(connection: sqlite3.Connection, path: Path, env_id: str) -> None:
    """Raise ReplayError if the open database at `path` also holds rows of another game, which a window would count: of one
    that its metadata states, or its oldest row, because other programs need not write metadata."""
    if not check_columns(connection, path):
        return
    queries = ["SELECT env_id FROM transitions WHERE rowid = (SELECT min(rowid) FROM transitions)"]
    if columns_of(connection, "game_metadata"):
        held = "SELECT 1 FROM transitions WHERE env_id = game_metadata.env_id"
        queries.append(f"SELECT env_id FROM game_metadata WHERE EXISTS ({held})")
    for (other,) in connection.execute(" UNION ".join(queries)).fetchall():
        if other != env_id:
            raise ReplayError(
                f"{path} also holds games of {other}, which --replay-window would count and never delete; write the games "
                f"of {env_id} into another file, give --replay-window None, or delete the rows of transitions whose env_id "
                f"is {other}"
            )
