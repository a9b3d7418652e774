"""Many at one database: `python -m torture.crowd FOLDER [SECONDS]`.

Four actors, a trainer, somebody who browses games, and a foreign writer without a busy timeout of its own, which created the
file in SQLite's default journal mode. The first of ours switches the file to a write-ahead log.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar

from conftest import CENTRE, EMPTY_BOARD, ForeignDatabase
from programs import ending
from stored_rows import select
from waiting import PATIENCE, wait_until

from torture import promises
from trainer.replay import open_for_reading

ACTORS = 4


class Foreigner(threading.Thread):
    """Writes games of one row, each in its transaction; tries again where the database is locked."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self.rows = 0
        self.waits = 0
        self.failure: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """Until `done`."""
        try:
            with closing(sqlite3.connect(self._path, timeout=0, isolation_level=None)) as connection:
                self._write(connection)
        except BaseException as error:
            self.failure = error

    def _write(self, connection: sqlite3.Connection) -> None:
        """One row at a time."""
        while not self.done.wait(0.01):
            try:
                connection.execute(
                    "INSERT INTO transitions (id, env_id, episode_id, step_number, state, action, next_state, "
                    "observation, next_observation, reward, done, timestamp, policy_probs, mcts_value, game_outcome) "
                    "VALUES (?, 'tictactoe', ?, 0, x'00', x'00000000', x'00', ?, x'', 1, 1, 0, ?, 0, 1)",
                    (f"foreign-{self.rows}-step-0", f"foreign-{self.rows}", EMPTY_BOARD, CENTRE),
                )
                self.rows += 1
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                self.waits += 1


class Browser(threading.Thread):
    """Reads games that are anywhere in the database, and the newest; each must be whole."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self.games = 0
        self.failure: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        """Until `done`."""
        try:
            generator = random.Random(1)
            while not self.done.wait(0.02):
                with closing(open_for_reading(self._path)) as connection:
                    self._read(connection, generator)
        except BaseException as error:
            self.failure = error

    def _read(self, connection: sqlite3.Connection, generator: random.Random) -> None:
        """Two games."""
        newest = connection.execute("SELECT max(rowid) FROM transitions").fetchone()[0] or 0
        for row in (newest, generator.randint(0, newest)):
            plies = connection.execute(
                "SELECT step_number, done FROM transitions WHERE episode_id = "
                "(SELECT episode_id FROM transitions WHERE rowid >= ? LIMIT 1) ORDER BY step_number",
                (row,),
            ).fetchall()
            expected = [(ply, int(ply == len(plies) - 1)) for ply in range(len(plies))]
            assert plies == expected, f"half a game: {plies}"
            self.games += bool(plies)


Worker = TypeVar("Worker", Foreigner, Browser)


@contextmanager
def at_work(thread: Worker) -> Iterator[Worker]:
    """The thread, which works until the block ends."""
    thread.start()
    try:
        yield thread
    finally:
        thread.done.set()
        thread.join()


def crowd(folder: Path, seconds: float) -> str:
    """Let them work together for so long; returns the figures. Raises AssertionError where anything was lost."""
    path = folder / "replay.db"
    ForeignDatabase(path).connection.close()
    trainer = "--wait-interval 0.2 --checkpoint-interval 200 --steps 100000000 --log-interval 1000"
    trainer = f"trainer --db {path} --model-dir {folder}/models --stats {folder}/stats.json {trainer}"
    actor = f"trainer.actor --replay-db-path {path} --data-dir {folder} --games 32 --simulations 400 --actor-id"
    commands = [trainer, *(f"{actor} actor-{number}" for number in range(ACTORS))]
    with at_work(Foreigner(path)) as foreigner, at_work(Browser(path)) as browser, ExitStack() as stack:
        processes = []
        for number, words in enumerate(commands):
            with open(folder / f"{number}.log", "wb") as log:
                process = subprocess.Popen([sys.executable, "-m", *words.split()], stderr=log)
            processes.append(stack.enter_context(ending(process)))
        wait_until((folder / "stats.json").exists, "the trainer doesn't begin", *processes)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and all(process.poll() is None for process in processes):
            time.sleep(0.2)
        for process in reversed(processes):
            process.send_signal(signal.SIGINT)
        statuses = [process.wait(PATIENCE) for process in processes]
    logs = "".join((folder / f"{number}.log").read_text() for number in range(len(processes)))
    assert statuses == [130, *[0] * ACTORS], (statuses, logs)
    assert "locked" not in logs, logs
    assert "error" not in logs, logs
    for failure in (foreigner.failure, browser.failure):
        if failure:
            raise failure
    promises.check_database(path)
    ((stored,),) = select(path, "SELECT count(*) FROM transitions")
    stats = json.loads((folder / "actor_stats.json").read_bytes())
    assert stored == stats["total_steps"] + foreigner.rows, (stored, stats["total_steps"], foreigner.rows)
    steps = json.loads((folder / "stats.json").read_bytes())["step"]
    assert min(foreigner.rows, browser.games, steps) > 0, (foreigner.rows, browser.games, steps)
    return (
        f"{seconds:.0f} s: {stats['episodes_completed']} games by {ACTORS} actors and {foreigner.rows} by a foreign writer "
        f"(which met a lock {foreigner.waits} times), {stored} rows, none lost; {steps} training steps; "
        f"{browser.games} games read, all whole; no lock reached anybody else"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True)
    print(crowd(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 600.0))
