"""Stored games: actors write them to SQLite, the trainer reads them into memory and samples them.

`database/` opens a database and knows its tables. Actors use `writer.py`: it stores games (`episode.py`) by `insert.sql`,
and deletes those that leave the window (`window.py`). `packing.py` is the packed form of large rows. The trainer uses
`buffer.py`, all rows of a game in memory. It has a `reader.py` for each database: `columns.py` reads and checks rows,
`row_store.py` keeps them, and `repeats.py` counts equal positions in a `hash_table.py`. `symmetry_tables.py` has the
symmetries, and `spread.py` fills a `batch.py`. `kernels.py` compiles `spread.py` and the hash table.
"""

from trainer.replay.batch import Batch, PackedBatch
from trainer.replay.buffer import ReplayBuffer
from trainer.replay.database.connection import open_for_reading, reporting
from trainer.replay.database.metadata import METADATA_COLUMNS, Metadata, StoredRules, read_game, read_stamp
from trainer.replay.database.tables import ROWID_SPAN, SCHEMA, check_columns, columns_of, count_rows, has_tables
from trainer.replay.episode import Episode
from trainer.replay.symmetry_tables import SymmetryTables
from trainer.replay.window import refuse_other_games
from trainer.replay.writer import ReplayWriter

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
    "StoredRules",
    "SymmetryTables",
    "check_columns",
    "columns_of",
    "count_rows",
    "has_tables",
    "open_for_reading",
    "read_game",
    "read_stamp",
    "refuse_other_games",
    "reporting",
]
