"""Death inside SQLite's own commits: `python -m torture.commits FOLDER [EVERY [MOMENTS]]`.

First at each system call by which SQLite changes a file, in the middle of it where it is a write: SQLite lets its calls be
exchanged (`xSetSystemCall`), so nothing needs to be compiled. Then by SIGKILL at random moments, of one of two processes
that write to the same database as fast as they can; the other one must be able to go on.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import random
import select
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from episodes import TICTACTOE, episode
from waiting import PATIENCE

from torture import promises
from torture.death import DIED, Clock
from trainer.replay import ReplayWriter, count_rows, writer

GAMES = 12
PLIES = 6
WINDOW = 40
"""Rows; so that old games are deleted on the way."""
MODES = {"write-ahead log": "wal", "rollback journal": "delete"}
"""Ways to keep a commit whole, and what SQLite calls them."""
LONGEST = 0.1
"""Seconds after its first game within which a process is killed."""
POINTER = ctypes.c_void_p
OFFSET = ctypes.c_int64
CALLS: dict[str, tuple[Any, ...]] = {
    "write": (ctypes.c_ssize_t, ctypes.c_int, POINTER, ctypes.c_size_t),
    "pwrite": (ctypes.c_ssize_t, ctypes.c_int, POINTER, ctypes.c_size_t, OFFSET),
    "pwrite64": (ctypes.c_ssize_t, ctypes.c_int, POINTER, ctypes.c_size_t, OFFSET),
    "ftruncate": (ctypes.c_int, ctypes.c_int, OFFSET),
    "unlink": (ctypes.c_int, ctypes.c_char_p),
}
"""What SQLite changes files by: the type of the result, then those of the arguments."""


class FileSystem(ctypes.Structure):
    """SQLite's `sqlite3_vfs`, as far as it is needed."""

    _fields_ = (
        *(("version", ctypes.c_int), ("file_size", ctypes.c_int), ("longest_name", ctypes.c_int), ("next", POINTER)),
        *(("name", ctypes.c_char_p), ("data", POINTER)),
        *((f"method_{number}", POINTER) for number in range(13)),
        ("exchange", ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_char_p, POINTER)),
        ("current", ctypes.CFUNCTYPE(POINTER, POINTER, ctypes.c_char_p)),
    )


KEPT: list[Any] = []
"""Functions that SQLite calls; they must not be collected."""


def watch(clock: Clock) -> None:
    """Make each change of a file by SQLite in this process a point of the clock."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(FileSystem)
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    system = library.sqlite3_vfs_find(None)

    def dying(name: str, original: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            def half() -> None:
                handle, content, size, *offset = arguments
                original(handle, content, size // 2, *offset)

            clock.tick(half if "write" in name else None)
            return original(*arguments)

        return call

    for name, types in CALLS.items():
        address = system.contents.current(ctypes.addressof(system.contents), name.encode())
        if address:
            prototype = ctypes.CFUNCTYPE(*types)
            function = prototype(dying(name, prototype(address)))
            KEPT.append(function)
            pointer = ctypes.cast(function, POINTER)
            assert system.contents.exchange(ctypes.addressof(system.contents), name.encode(), pointer) == 0


def in_child(work: Callable[[int], None]) -> tuple[int, int]:
    """Fork a process that does `work` with a pipe to write to: its id and the pipe to read from."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(source)
            work(sink)
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(70)
    os.close(sink)
    return child, source


def end_of(child: int) -> int:
    """The exit status of a child."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def write_games(path: Path, mode: str, die_at: int | None) -> tuple[int, int, int]:
    """A process that writes GAMES games: its exit status, how many are stored by its word, its points where it ended."""

    def work(pipe: int) -> None:
        patch.multiple(writer, LOG_LIMIT=0, LOG_EVERY=0.0).start()  # the log is moved into the database after each game
        if MODES[mode] != "wal":
            patch.object(ReplayWriter, "_prefer_write_ahead_log", lambda self: None).start()
        clock = Clock(die_at)
        watch(clock)
        store = ReplayWriter(path, TICTACTOE, WINDOW)
        for number in range(GAMES):
            store.write([episode(f"a-{number:03}", PLIES)])
            os.write(pipe, b"+")
        store.close()
        assert clock.writes, "SQLite wrote by no call that is watched"
        os.write(pipe, str(clock.points).encode())

    child, pipe = in_child(work)
    status = end_of(child)
    with os.fdopen(pipe, "rb") as file:
        said = file.read()
    return status, said.count(b"+"), int(said.replace(b"+", b"") or 0)


def stored(path: Path) -> list[int]:
    """The numbers of the games in a database that passed every check."""
    promises.check_database(path)
    connection = sqlite3.connect(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'transitions'").fetchone():
            return []
        rows = connection.execute("SELECT DISTINCT episode_id FROM transitions ORDER BY 1").fetchall()
    finally:
        connection.close()
    return [int(name.rpartition("-")[2]) for (name,) in rows]


def sweep(folder: Path, mode: str, every: int) -> int:
    """Die at each `every`-th point of a mode; returns how often."""
    folder.mkdir(parents=True)
    status, told, points = write_games(folder / "replay.db", mode, None)
    assert (status, told) == (0, GAMES), (status, told)
    with closing(sqlite3.connect(folder / "replay.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (MODES[mode],)
    deaths = 0
    for point in range(1, points + 1, every):
        shutil.rmtree(folder)
        folder.mkdir()
        path = folder / "replay.db"
        status, told, _ = write_games(path, mode, point)
        assert status == DIED, (mode, point, status)
        deaths += 1
        count_rows(path)  # a reader comes first
        games = stored(path)
        first, end = (games[0], games[-1] + 1) if games else (0, 0)
        assert games == list(range(first, end)), (mode, point, games)
        assert end in (told, told + 1), f"{mode}, point {point}: {told} games were stored, now there are {games}"
        assert end - first >= min(end, WINDOW // PLIES), (mode, point, games)
        writer = ReplayWriter(path, TICTACTOE)
        writer.write([episode(f"a-{end:03}", PLIES)])
        writer.close()
        assert stored(path) == [*games, end], (mode, point)
    assert deaths, "no writer died"
    return deaths


def write_for_ever(path: Path, name: str) -> tuple[int, int]:
    """A process that writes games until it is killed, and says so after each: its id and its pipe."""

    def work(pipe: int) -> None:
        writer = ReplayWriter(path, TICTACTOE)
        for number in count():
            writer.write([episode(f"{name}-{number}", PLIES)])
            os.write(pipe, b"+")

    return in_child(work)


def heard(pipe: int, games: int = 0) -> int:
    """How many games a process has reported by now; waits until it is at least `games`."""
    found = 0
    deadline = time.monotonic() + PATIENCE
    while found < games or select.select([pipe], [], [], 0)[0]:
        if select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            said = os.read(pipe, 65536)
            if not said and found >= games:
                return found
            assert said, "the other process ended"
            found += len(said)
        assert time.monotonic() < deadline, "the other process waits for a lock that nobody holds"
    return found


def kill_in_commits(folder: Path, moments: int) -> int:
    """Kill one of two writers at so many moments, then the other; returns the games that were stored."""
    folder.mkdir(parents=True)
    generator = random.Random("commits")
    told = 0
    path = folder / "replay.db"
    for moment in range(moments):
        processes = [write_for_ever(path, f"{moment}-{name}") for name in "ab"]
        told += sum(heard(pipe, 1) for _, pipe in processes)
        time.sleep(generator.uniform(0, LONGEST))
        for child, pipe in processes:
            os.kill(child, signal.SIGKILL)
            assert end_of(child) == -signal.SIGKILL
            if pipe is processes[0][1]:
                told += heard(processes[1][1])
                told += heard(processes[1][1], 2)  # it isn't held up by what the other left
        told += sum(heard(pipe) for _, pipe in processes)
        for _, pipe in processes:
            os.close(pipe)
        games = promises.check_database(path)
        assert told <= games <= told + 2 * (moment + 1), f"{told} games were stored, now there are {games}"
    return games


def main() -> None:
    """Both, in a folder; prints how often processes died."""
    folder = Path(sys.argv[1])
    every, moments = (int(text) for text in (*sys.argv[2:4], *("1", "200")[len(sys.argv) - 2 :]))
    deaths = [sweep(folder / mode.split()[0], mode, every) for mode in MODES]
    games = kill_in_commits(folder / "moments", moments)
    parts = ", ".join(f"{number} with a {mode}" for number, mode in zip(deaths, MODES, strict=True))
    print(f"died at {sum(deaths)} writes of SQLite ({parts}) and at {moments} random moments ({games:,} games)")


if __name__ == "__main__":
    main()
