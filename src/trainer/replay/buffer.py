"""The replay buffer: all rows of one game in memory, sampled by the trainer. B batch, A actions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.replay.batch import Batch, PackedBatch
from trainer.replay.database.metadata import Metadata
from trainer.replay.hash_table import Hashes
from trainer.replay.kernels import spread_kernels
from trainer.replay.packing import as_numbers, legal_in, unpacked
from trainer.replay.reader import ReplayReader
from trainer.replay.repeats import Repeats
from trainer.replay.row_store import RowStore, Taken
from trainer.replay.symmetry_tables import SymmetryTables

FEW_ACCEPTED = 1 / 32
"""If a smaller share of the offered rows would be drawn, the weights of all rows are added up instead, once after each
`refresh`."""
PROBED = 4096
"""Rows by which that share is estimated."""


class ReplayBuffer:
    """All rows of one game in memory, sampled at random, from one database or from several as if they were one."""

    def __init__(
        self,
        databases: str | Path | Sequence[str | Path],
        metadata: Metadata,
        symmetries: SymmetryTables | None = None,
        min_rows: int = 1,
        skip_bad_rows: bool = False,
        merge_repeats: bool = False,
        stamp: str | None = None,
    ) -> None:
        """A buffer for the rows of `metadata.env_id`. It is empty until the first `refresh`.

        `databases`: their paths. Row numbers run on from one database to the next, so with another order the same seed draws
        other rows. `symmetries`: rows are seen through them; None: rows are seen as they are stored. `min_rows`: if a
        database is replaced, its old rows stay in use until the new one has its share of this many. `skip_bad_rows`: count
        and log rows that break the contract, instead of raising ReplayError. `merge_repeats`: see `sample`. `stamp`: a hash
        of the rules by which the games must have been played; None: any rules.
        """
        paths = [Path(path) for path in ([databases] if isinstance(databases, (str, Path)) else databases)]
        share = -(-min_rows // len(paths))
        self.metadata = metadata
        self.symmetries = symmetries or SymmetryTables.identity(metadata)
        """The symmetries through which rows are seen."""
        self._kernels = spread_kernels().spread
        self._repeats = Repeats() if merge_repeats else None
        self._is_decided = False  # how repeats are merged until the next refresh
        self._shares: NDArray[np.float64] | None = None  # by weights: sums of them; None: by rejection
        self._readers = [ReplayReader(path, metadata, share, skip_bad_rows, self._repeats, stamp) for path in paths]
        self._last_look = -math.inf

    def __len__(self) -> int:
        """Rows that can be sampled: those that are still in their database."""
        return sum(len(reader.rows) for reader in self._readers)

    @property
    def seen(self) -> int:
        """Rows ever read, including those that have left the database since."""
        return sum(reader.seen for reader in self._readers)

    @property
    def bad_rows(self) -> int:
        """Rows that were skipped."""
        return sum(reader.bad_rows for reader in self._readers)

    def refresh(self, every: float = 0.0) -> int:
        """Read the rows added since the last call; returns how many. Does nothing within `every` seconds of the last look.

        If there is no database or no table yet, there are no rows. If a database can't be read at the moment, or is gone,
        its rows stay as they are and a warning is logged. Raises ReplayError naming the first bad row.
        """
        if time.monotonic() < self._last_look + every:
            return 0
        before = self.seen
        self._is_decided, self._shares = False, None
        for reader in self._readers:
            reader.refresh()
        self._last_look = time.monotonic()  # now, because the look may have waited for a lock
        return self.seen - before

    def sample(self, generator: np.random.Generator, batch_size: int, q_weight: float = 0.0) -> Batch:
        """`batch_size` rows drawn uniformly with replacement, each through a symmetry drawn uniformly.

        With `merge_repeats`, a position that was seen n times is drawn 1 + log2 n times as often as one that was seen once,
        instead of n times (AlphaZero.jl). `q_weight`: see `value_target`. Raises ValueError while there are no rows.
        """
        return self.unpacked(self.sample_packed(generator, batch_size, q_weight))

    def take(self, at: NDArray[np.int64], symmetry: NDArray[np.int64] | None = None, q_weight: float = 0.0) -> Batch:
        """The rows numbered `at` int64 [B], each from 0 to `len(buffer) - 1`, for a way to sample of one's own.

        The rows of a database are in the order in which they were stored, those of the first database come first. A number
        stands for the same row until the next `refresh`. `symmetry` int64 [B]: which of `symmetries` each is seen through;
        None: as it is stored. Repeats are not merged. Raises IndexError for a row or a symmetry that isn't there.
        """
        self._require(at)
        symmetry = np.zeros(len(at), np.int64) if symmetry is None else symmetry
        count = len(self.symmetries.actions)
        if symmetry.shape != at.shape or (len(at) and not 0 <= symmetry.min() <= symmetry.max() < count):
            raise IndexError(f"one symmetry from 0 to {count - 1} is needed for each of {len(at)} rows")
        return self.unpacked(self._packed(at, symmetry, q_weight))

    def rowids(self, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the rows numbered `at` [B] are stored: which of the databases [B], from 0, and the `rowid` there [B].

        So whatever else a row or its game has can be selected, as of the last `refresh`: a database that has been replaced,
        or whose old games were deleted, no longer has it. Raises IndexError for a row that isn't there.
        """
        self._require(at)
        databases, found = np.empty((2, len(at)), np.int64)
        for number, (store, places, rows) in enumerate(self._split(at)):
            databases[places], found[places] = number, store.rowids(rows)
        return databases, found

    def sample_packed(self, generator: np.random.Generator, batch_size: int, q_weight: float = 0.0) -> PackedBatch:
        """The rows that `sample` would draw, as they are kept."""
        at = self._draw(generator, batch_size)
        return self._packed(at, generator.integers(0, len(self.symmetries.actions), batch_size), q_weight)

    def unpacked(self, batch: PackedBatch) -> Batch:
        """The rows of a batch, each through its symmetry."""
        meta, rows = self.metadata, len(batch.value_target)
        observation = np.empty((rows, meta.obs_size), np.float32)
        policy = np.empty((rows, meta.num_actions), np.float32)
        bits = batch.observation.dtype == np.uint8
        spread = self._kernels.spread_bits if bits else self._kernels.spread_floats
        spread(batch.observation, self.symmetries.observations, batch.symmetry, observation)
        stored = unpacked(batch.policy_target, batch.observation, meta)
        self._kernels.spread_floats(stored, self.symmetries.actions, batch.symmetry, policy)
        return Batch(observation, legal_in(observation, meta), policy, batch.value_target)

    def close(self) -> None:
        """Close the databases. The rows in memory stay, and can be sampled."""
        for reader in self._readers:
            reader.close()

    def _require(self, at: NDArray[np.int64]) -> None:
        """Raise IndexError unless there are rows with these numbers."""
        if len(at) and not 0 <= at.min() <= at.max() < len(self):
            raise IndexError(f"rows {at.min()} to {at.max()} are asked for; there are rows 0 to {len(self) - 1}")

    def _packed(self, at: NDArray[np.int64], symmetry: NDArray[np.int64], q_weight: float) -> PackedBatch:
        """The rows numbered `at` [B], as they are kept."""
        observation, policy, outcome, search_value = self._rows(at)
        return PackedBatch(observation, policy, value_target(outcome, search_value, q_weight), symmetry)

    def _draw(self, generator: np.random.Generator, batch_size: int) -> NDArray[np.int64]:
        """The numbers of `batch_size` rows; of repeated positions as many as `sample` says, by rejection while that is fast.

        Raises ValueError while there are no rows.
        """
        if not len(self):
            raise ValueError("there are no rows to sample; play some games first, and call refresh to read them")
        if self._repeats is None:
            return generator.integers(0, len(self), batch_size)
        if not self._is_decided:
            self._shares, self._is_decided = self._sums(self._repeats), True
        if self._shares is not None:
            aim = generator.random(batch_size) * self._shares[-1]
            # Without the last sum, because rounding can make it the aim.
            at: NDArray[np.int64] = np.searchsorted(self._shares[:-1], aim, side="right")
            return at
        drawn = np.empty(0, np.int64)
        while len(drawn) < batch_size:
            offered = generator.integers(0, len(self), 4 * batch_size)
            accepted = generator.random(len(offered)) < self._weights(self._repeats, offered)
            drawn = np.concatenate([drawn, offered[accepted]])
        return drawn[:batch_size]

    def _sums(self, repeats: Repeats) -> NDArray[np.float64] | None:
        """For each row, the weights of it and of all rows before it; None if rejection is fast.

        It depends on the rows alone. So a seed draws the same rows, whenever somebody looked for new ones.
        """
        probed = np.random.default_rng(0).integers(0, len(self), PROBED)
        if self._weights(repeats, probed).mean() >= FEW_ACCEPTED:
            return None
        return np.cumsum(self._weights(repeats, np.arange(len(self))))

    def _weights(self, repeats: Repeats, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """How often the rows numbered `at` [B] are drawn, from 0 to 1 for a position that was seen once."""
        times = repeats.of(self._hashes(at))
        return (1 + np.log2(times)) / times

    def _rows(self, at: NDArray[np.int64]) -> Taken:
        """The rows numbered `at` [B] through all databases."""
        if len(self._readers) == 1:
            return self._readers[0].rows.taken(at)
        places, parts = zip(*((places, store.taken(rows)) for store, places, rows in self._split(at)), strict=True)
        if len({part.observation.dtype for part in parts}) > 1:  # one of them holds other numbers than 0 and 1
            parts = tuple(part._replace(observation=as_numbers(part.observation, self.metadata)) for part in parts)
        back = np.argsort(np.concatenate(places), kind="stable")
        return Taken(*(np.concatenate(columns)[back] for columns in zip(*parts, strict=True)))

    def _hashes(self, at: NDArray[np.int64]) -> Hashes:
        """The hashes of the positions of the rows numbered `at` through all databases."""
        found = np.empty(len(at), np.uint64)
        for store, places, rows in self._split(at):
            found[places] = store.hashes(rows)
        return found

    def _split(self, at: NDArray[np.int64]) -> Iterator[tuple[RowStore, NDArray[np.int64], NDArray[np.int64]]]:
        """The rows of each database, the places in `at` that are among them, and their numbers in it."""
        first = 0
        for reader in self._readers:
            places = np.flatnonzero((at >= first) & (at < first + len(reader.rows)))
            yield reader.rows, places, at[places] - first
            first += len(reader.rows)


def value_target(
    outcome: NDArray[np.float32], search_value: NDArray[np.float32], q_weight: float
) -> NDArray[np.float32]:
    """(1 - q_weight) z + q_weight q of results z [B] and search values q [B] (Willemsen, Baier and Kaisers 2021).

    If q is exactly +1 or -1 the search had proven the result, and the target is q. With a weight of 0 it is always z.
    """
    if q_weight == 0:
        return outcome
    return np.where(np.abs(search_value) == 1, search_value, (1 - q_weight) * outcome + q_weight * search_value)
