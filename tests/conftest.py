"""What several tests share: databases written by nothing of this package, and commands run as a user would."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from long_tests import LONG
from programs import bound_files
from waiting import PATIENCE

# Repeatable, because a test that failed must fail again (`make torture` draws new inputs); and without limits of time.
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")

bound_files()


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out tests by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long tests. Raises ValueError, if the whole suite was collected, for a pattern without a test."""
    found = set()
    for item in items:
        for pattern in LONG:
            if re.search(pattern, item.nodeid):
                item.add_marker("long")
                found.add(pattern)
    if len({item.path.parent for item in items}) > 10 and (missing := set(LONG) - found):
        raise ValueError(f"tests/support/long_tests.py names tests that are not there: {sorted(missing)}")


ALLOWED_SKIPS = (
    "needs root and unshare",
    "only root can mount a small disk",
    "only root makes device nodes",
    "this file system holds no devices",
    "this machine has no IPv6 beside IPv4",
    "this system has no /dev/full",
    "this system has no affinities",
    "needs pseudo-terminals",
    "could not import 'termios'",
    "the raw words aren't transformed",  # of some games; another test is for them
)
"""Parts of the reasons for which a test may be skipped with CI=true: what the machine is, and what the user may do there.
That a program or a package is missing is no such reason: `.ci/run` installs them."""
if platform.system() == "Linux" and platform.machine() != "x86_64":
    ALLOWED_SKIPS += ("could not import 'bitbully'", "could not import 'pyffish'")  # they are not built for it

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def judged(report: Report) -> Report:
    """The report of a test or of a file; with CI=true a skip is made a failure, unless its reason is allowed."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"{reason}; with CI=true that is a failure: install it, or add it to ALLOWED_SKIPS"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the skips of tests."""
    return judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the skips of whole files."""
    return judged((yield))


COLUMNS = (
    "id TEXT PRIMARY KEY, env_id TEXT NOT NULL, episode_id TEXT NOT NULL, step_number INTEGER NOT NULL, "
    "state BLOB NOT NULL, action BLOB NOT NULL, next_state BLOB NOT NULL, observation BLOB NOT NULL, "
    "next_observation BLOB NOT NULL, reward REAL NOT NULL, done INTEGER NOT NULL, timestamp INTEGER NOT NULL, "
    "policy_probs BLOB, mcts_value REAL DEFAULT 0, game_outcome REAL, created_at DATETIME DEFAULT CURRENT_TIMESTAMP"
)


def floats(*values: float) -> bytes:
    """Little-endian float32 bytes, without NumPy."""
    return struct.pack(f"<{len(values)}f", *values)


class ForeignDatabase:
    """A replay database as another program writes it: plain sqlite3, default journal mode."""

    def __init__(self, path: Path, env_id: str = "tictactoe", columns: str = COLUMNS) -> None:
        self.path = path
        self.env_id = env_id
        self.connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self.connection.execute(f"CREATE TABLE transitions ({columns})")
        self.connection.commit()
        self.rows = 0

    def close(self) -> None:
        """Release the file."""
        self.connection.close()

    def metadata(self, *, width: int, height: int, actions: int, obs_size: int, offset: int) -> None:
        """State the game's dimensions."""
        self.connection.execute(
            "CREATE TABLE game_metadata (env_id TEXT PRIMARY KEY, display_name TEXT, board_width INTEGER, "
            "board_height INTEGER, num_actions INTEGER, obs_size INTEGER, legal_mask_offset INTEGER, "
            "player_count INTEGER, updated_at DATETIME)"
        )
        self.connection.execute(
            "INSERT INTO game_metadata VALUES (?, ?, ?, ?, ?, ?, ?, 2, CURRENT_TIMESTAMP)",
            (self.env_id, self.env_id.title(), width, height, actions, obs_size, offset),
        )
        self.connection.commit()

    def add(self, observation: bytes, policy: bytes | None, outcome: float | None, value: float | None = 0.0) -> None:
        """One more row; call `commit` when there are enough."""
        step = self.rows
        self.rows += 1
        self.connection.execute(
            "INSERT INTO transitions (id, env_id, episode_id, step_number, state, action, next_state, observation, "
            "next_observation, reward, done, timestamp, policy_probs, mcts_value, game_outcome) "
            "VALUES (?, ?, ?, ?, x'00', x'00000000', x'00', ?, x'', 0, 0, 0, ?, ?, ?)",
            (f"foreign-step-{step}", self.env_id, "foreign", step, observation, policy, value, outcome),
        )

    def add_tictactoe(self, count: int = 1, **changed: Any) -> None:
        """Rows of the empty board: the centre is the move, and the mover wins."""
        row = {"observation": EMPTY_BOARD, "policy": CENTRE, "outcome": 1.0} | changed
        for _ in range(count):
            self.add(**row)
        self.connection.commit()


EMPTY_BOARD = floats(*[0] * 18, *[1] * 9, 1, 0)
CENTRE = floats(0, 0, 0, 0, 1, 0, 0, 0, 0)


CloseLater = Callable[[Any], Any]


@pytest.fixture
def close_later() -> Iterator[CloseLater]:
    """Closes what it is given when the test is over: `replay = close_later(ReplayBuffer(...))`."""
    with ExitStack() as stack:
        yield lambda opened: stack.enter_context(closing(opened))


@pytest.fixture
def foreign(tmp_path: Path, close_later: CloseLater) -> Callable[..., ForeignDatabase]:
    """Makes a ForeignDatabase at replay.db in the test's folder."""

    def make(env_id: str = "tictactoe", columns: str = COLUMNS) -> ForeignDatabase:
        return close_later(ForeignDatabase(tmp_path / "replay.db", env_id, columns))

    return make


def run_module(
    module: str, *arguments: object, timeout: float = PATIENCE, **options: Any
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments`, its output captured as text."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)


@pytest.fixture
def call_main(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Calls the `main` of a command's module in this process, because starting Python takes a second, and torch more.

    The commands' handling of signals is left out: it would be that of the tests.
    """

    def call(module: str, *arguments: object, **options: Any) -> int:
        found = import_module(module)
        for name, instead in (("leave_on_signals", lambda: None), ("stop_on_signals", Event)):
            if hasattr(found, name):
                monkeypatch.setattr(found, name, instead)
        return int(found.main([str(word) for word in arguments], **options))

    return call


@pytest.fixture
def tictactoe_rows(foreign: Callable[..., ForeignDatabase]) -> ForeignDatabase:
    """A foreign database of 200 real tic-tac-toe positions: random play, the policy on one legal move."""
    database = foreign()
    add_random_play(database, 200)
    return database


def add_random_play(database: ForeignDatabase, count: int, seed: int = 0) -> None:
    """`count` rows of random tic-tac-toe; the target is the lowest legal move and the outcome alternates."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        cells = generator.permutation([0] * 5 + [1, 1, 2, 2])
        planes: Sequence[float] = [*(cells == 1), *(cells == 2), *(cells == 0)]
        policy = np.zeros(9)
        policy[int(np.flatnonzero(cells == 0)[0])] = 1
        database.add(floats(*planes, 1, 0), floats(*policy), float(number % 3 - 1))
    database.connection.commit()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 128 MB; skipped where this user can't mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a small disk."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (2**20, 65536, 512):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return path
