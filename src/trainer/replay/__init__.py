"""Stored games: written to SQLite by actors, mirrored in memory and sampled by the trainer."""

from trainer.replay.database import (
    METADATA_COLUMNS,
    ROWID_SPAN,
    SCHEMA,
    Metadata,
    check_columns,
    columns_of,
    open_for_reading,
    read_metadata,
    reporting,
    shortened,
)
from trainer.replay.mirror import Batch, Replay, Views
from trainer.replay.writer import Episode, ReplayWriter

__all__ = [
    "METADATA_COLUMNS",
    "ROWID_SPAN",
    "SCHEMA",
    "Batch",
    "Episode",
    "Metadata",
    "Replay",
    "ReplayWriter",
    "Views",
    "check_columns",
    "columns_of",
    "open_for_reading",
    "read_metadata",
    "reporting",
    "shortened",
]
