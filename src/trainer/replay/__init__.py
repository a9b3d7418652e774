"""Stored games: actors write them to SQLite, the trainer reads them into memory and samples them.

`replay.sql` is the schema and `database.py` its connections; `packing.py` is the packed form of large rows. Actors use
`writer.py` (with `insert.sql`). The trainer uses `buffer.py`, all rows of a game in memory, with a `reader.py` for each
database: `columns.py` reads and checks rows, `row_store.py` keeps them, and `repeats.py` counts equal positions in a
`hash_table.py`. `symmetry_tables.py` has the symmetries, and `spread.py` fills a `batch.py`. `kernels.py` compiles
`spread.py` and the hash table.
"""

from trainer.replay.batch import Batch, PackedBatch
from trainer.replay.buffer import ReplayBuffer
from trainer.replay.database import (
    METADATA_COLUMNS,
    ROWID_SPAN,
    SCHEMA,
    Metadata,
    check_columns,
    columns_of,
    count_rows,
    databases_of,
    open_for_reading,
    read_layout,
    read_metadata,
    read_stamp,
    reporting,
)
from trainer.replay.symmetry_tables import SymmetryTables
from trainer.replay.writer import Episode, ReplayWriter

__all__ = [
    "METADATA_COLUMNS",
    "ROWID_SPAN",
    "SCHEMA",
    "Batch",
    "Episode",
    "Metadata",
    "PackedBatch",
    "ReplayBuffer",
    "ReplayWriter",
    "SymmetryTables",
    "check_columns",
    "columns_of",
    "count_rows",
    "databases_of",
    "open_for_reading",
    "read_layout",
    "read_metadata",
    "read_stamp",
    "reporting",
]
