"""What a part is given: how much to do, and where."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import databases
from bench.size import Size


@dataclass(frozen=True)
class Job:
    """How much work, and the folder for what is made on the way."""

    size: Size
    folder: Path

    def database(self, env_id: str) -> Path:
        """A database of `size.rows` random positions, kept between runs."""
        return databases.database(self.folder, env_id, self.size.rows)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is gone when the block ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=self.folder, ignore_cleanup_errors=True) as made:
            yield Path(made)
