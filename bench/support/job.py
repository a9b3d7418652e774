"""What each part is given: how much work to do, and where."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.support import databases
from bench.support.size import Size


@dataclass(frozen=True)
class Job:
    """How much work to do, and the folder for databases and temporary files."""

    size: Size
    folder: Path

    def database(self, env_id: str, rows: int | None = None) -> Path:
        """A replay database of about `rows` random positions (None: `size.rows`), kept between runs."""
        return databases.database(self.folder, env_id, self.size.rows if rows is None else rows)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is deleted when the block ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=self.folder, ignore_cleanup_errors=True) as made:
            yield Path(made)
