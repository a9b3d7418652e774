"""Counting repeated positions, and sampling them less often."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import CloseLater, ForeignDatabase, add_random_play, floats
from waiting import PATIENCE

from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import ReplayBuffer
from trainer.replay.reader import ReplayReader
from trainer.replay.repeats import SMALLEST, Repeats, hashes_of

TICTACTOE = metadata_of(game_of("tictactoe"))


def test_counts_equal_those_of_a_dictionary_while_rows_come_and_go() -> None:
    """A moving window over 20 batches whose positions change slowly; there are far more than a new table has slots."""
    generator, repeats, counted, window = np.random.default_rng(0), Repeats(), Counter[int](), deque[np.ndarray]()
    for turn in range(100):
        batch = hashes_of(generator.integers(100 * turn, 100 * turn + 500, (200, 1)).astype(np.float32))
        window.append(batch)
        repeats.add(batch)
        counted.update(batch.tolist())
        if len(window) > 20:
            gone = window.popleft()
            repeats.remove(gone)
            counted.subtract(gone.tolist())
    assert len(counted) > 4 * SMALLEST
    assert {0, 1, 2} < set(counted.values())
    assert repeats.of(np.array(list(counted), np.uint64)).tolist() == list(counted.values())
    assert repeats.of(hashes_of(np.array([[-1.0]], np.float32))).tolist() == [0]


def test_hashes_differ_between_rows() -> None:
    """All boards of nine cells with three states, one-hot encoded, have different hashes."""
    digits = (np.arange(3**9)[:, None] // 3 ** np.arange(9)) % 3
    rows = np.eye(3, dtype=np.float32)[digits].reshape(-1, 27)
    assert len(np.unique(hashes_of(rows))) == len(rows)


@pytest.mark.parametrize(
    ("repeated", "merge_repeats", "share"), [(8, False, 8 / 12), (8, True, 4 / 8), (1024, True, 11 / 15)]
)
def test_eight_rows_of_one_position_weigh_as_much_as_four(
    foreign: Callable[..., ForeignDatabase],
    repeated: int,
    merge_repeats: bool,
    share: float,
    close_later: CloseLater,
) -> None:
    """1 + log2 8 = 4, next to four positions that occur once. Without merging, every row counts.

    1024 rows weigh as much as eleven; so few of them are drawn that it is no longer done by rejection.
    """
    database = foreign()
    for cell, times in ((0, repeated), (1, 1), (2, 1), (3, 1), (4, 1)):
        for _ in range(times):
            database.add(floats(*np.eye(9)[cell], *[0] * 9, *(1 - np.eye(9)[cell]), 0, 1), floats(*np.eye(9)[8]), 0.0)
    database.connection.commit()
    replay = close_later(ReplayBuffer(database.path, TICTACTOE, merge_repeats=merge_repeats))
    replay.refresh()
    batch = replay.sample(np.random.default_rng(0), 20_000)
    assert len(batch.value_target) == 20_000
    assert (replay._shares is not None) == (repeated == 1024)
    assert batch.observation[:, 0].mean() == pytest.approx(share, abs=0.02)
    assert batch.observation[:, :5].mean(axis=0)[1:] == pytest.approx([(1 - share) / 4] * 4, abs=0.01)
    drawn = []
    for looks in (0, 1):  # when somebody looks for further rows, in vain, doesn't matter
        generator = np.random.default_rng(1)
        for _ in range(3):
            drawn.append(replay.sample(generator, 5).observation)
            for _ in range(looks):
                replay.refresh()
    np.testing.assert_array_equal(drawn[:3], drawn[3:])


READ_ROWS = """
import sys
from pathlib import Path
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import ReplayBuffer
from trainer.replay.kernels import table_kernels

def compiled():
    return {path.name for path in Path(sys.argv[2]).rglob("*.nbc")}

table_kernels()
before = compiled()
replay = ReplayBuffer(sys.argv[1], metadata_of(game_of("tictactoe")), merge_repeats=True)
replay.refresh()
print(len(replay), len(before) > 0, {name for name in compiled() - before if "hash_table" in name})
"""
"""A program that prints how many rows it read, and what was compiled meanwhile."""


def test_reading_rows_compiles_nothing(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """In a fresh cache: whoever reads rows may be in a hurry, and the warm-up has compiled all."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "CARTRIDGE_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-W", "error", "-c", READ_ROWS, str(tictactoe_rows.path), str(tmp_path / "cache")]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("200 True set()\n", "")


def test_rows_that_left_the_database_no_longer_count(
    foreign: Callable[..., ForeignDatabase], close_later: CloseLater
) -> None:
    """Seven of eleven equal rows are deleted: the other four weigh as 1 + log2 4 = 3 rows, even after compaction."""
    database = foreign()
    database.add_tictactoe(7)
    database.connection.commit()
    replay = close_later(ReplayBuffer(database.path, TICTACTOE, merge_repeats=True))
    replay.refresh()
    database.add_tictactoe(4)
    database.add_tictactoe(1, observation=floats(*np.eye(9)[3], *[0] * 9, *(1 - np.eye(9)[3]), 0, 1))
    database.connection.execute("DELETE FROM transitions WHERE rowid <= 7")
    database.connection.commit()
    replay.refresh()
    assert len(replay) == 5
    batch = replay.sample(np.random.default_rng(0), 10_000)
    assert batch.observation[:, 3].mean() == pytest.approx(0.25, abs=0.02)


def test_counts_are_right_after_the_database_was_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """Old rows stay in use until there are enough new ones; each counts as often as it is there. Four are read at once."""
    monkeypatch.setattr("trainer.replay.reader.READ_SLICE", 4)
    database = close_later(ForeignDatabase(tmp_path / "replay.db"))
    add_random_play(database, 60)
    repeats = Repeats()
    reader = close_later(ReplayReader(database.path, TICTACTOE, 50, False, repeats, None))
    for number, rows in enumerate((0, 30, 70)):
        if rows:
            (tmp_path / f"new-{number}").mkdir()
            other = close_later(ForeignDatabase(tmp_path / f"new-{number}" / "replay.db"))
            add_random_play(other, rows, seed=number)
            os.replace(other.path, database.path)
        reader.refresh()
        hashes = reader.rows.hashes(np.arange(len(reader.rows)))
        counted = Counter(hashes.tolist())
        assert max(counted.values()) > 1
        assert repeats.of(hashes).tolist() == [counted[one] for one in hashes.tolist()]
