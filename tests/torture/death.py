"""Death at every write, sync, rename and statement: `python -m torture.death FOLDER [EVERY]`.

A child is forked for each point of a run; there it ends by `os._exit`, in the middle of the write where it is one. Then
the promises are checked, and the next start must end as a run that was left alone.
"""

from __future__ import annotations

import builtins
import json
import os
import re
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import trainer.core.files
from torture import promises
from trainer.actor.__main__ import main as actor_main
from trainer.run.model_files import LATEST

EPISODES = 12
"""Games of an actor that isn't interrupted."""

DIED = 77
CALLS = ("replace", "rename", "unlink", "fsync", "mkdir")
WORDS = ("BEGIN", "COMMIT", "INSERT", "DELETE", "CREATE", "PRAGMA JOURNAL_MODE", "PRAGMA WAL_CHECKPOINT")


class Clock:
    """Counts the points of a run; dies at one of them."""

    def __init__(self, die_at: int | None) -> None:
        self.points = 0
        self.writes = 0
        """Points that are writes, which can stay half done."""
        self._die_at = die_at

    def tick(self, half: Callable[[], object] | None = None) -> None:
        """One point; `half` does half of it, if it is a write. The last one is not done, or only half."""
        self.points += 1
        self.writes += half is not None
        if self.points == self._die_at:
            if half:
                half()
            os._exit(DIED)


def watch(clock: Clock) -> None:
    """Make every change of the disk by this process a point of the clock."""

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any, **options: Any) -> Any:
            clock.tick()
            return call(*arguments, **options)

        return changed

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))

    class File:
        """A file whose last write stays half done."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def __enter__(self) -> File:
            return self

        def __exit__(self, *error: object) -> None:
            self._file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, content: bytes) -> int:
            def half() -> None:
                self._file.write(content[: len(content) // 2])
                self._file.flush()

            clock.tick(half)
            return int(self._file.write(content))

    def opened(path: Any, mode: str = "r", **options: Any) -> Any:
        clock.tick()
        file = builtins.open(path, mode, **options)  # noqa: SIM115
        return File(file) if mode == "wb" else file

    trainer.core.files.open = opened  # type: ignore[attr-defined]

    class Connection(sqlite3.Connection):
        """A connection that dies before its statements."""

        def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
            if without_comments(statement).upper().startswith(WORDS):
                clock.tick()
            return super().execute(statement, *parameters)

        def executescript(self, script: str) -> sqlite3.Cursor:
            clock.tick()
            return super().executescript(script)

    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **options: connect(*given, **(options | {"factory": Connection}))  # type: ignore


def without_comments(statement: str) -> str:
    """A statement from its first word on."""
    return re.sub(r"^(\s|--[^\n]*\n)*", "", statement)


def run(main: Callable[[], int], arguments: list[str], die_at: int | None) -> tuple[int, int, int]:
    """The command in a forked process: its exit status, its points and the writes among them; 0 where it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            sys.argv = ["command", *arguments]
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            clock = Clock(die_at)
            watch(clock)
            status = main()
            os.write(write, f"{clock.points} {clock.writes}".encode())
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
        os._exit(status)
    os.close(write)
    _, result = os.waitpid(child, 0)
    points, writes = map(int, (os.read(read, 40) or b"0 0").split())
    os.close(read)
    return os.waitstatus_to_exitcode(result), points, writes


def sweep(
    main: Callable[[], int],
    arguments: Callable[[Path], list[str]],
    folder: Path,
    every: int,
    finished: Callable[[Path], object],
    keeps_all: bool = True,
) -> int:
    """Die at each `every`-th point; returns how often.

    `finished` tells what a run left in its folder. `keeps_all`: it deletes no old games.
    """

    def fresh(name: str) -> Path:
        path = folder / name
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(folder / "base", path)
        return path

    alone = fresh("alone")
    status, points, writes = run(main, arguments(alone), None)
    assert status == 0, status
    assert writes, "the run wrote no file by a call that is watched"
    expected = finished(alone)
    deaths = 0
    for point in range(1, points + 1, every):
        path = fresh("died")
        status, *_ = run(main, arguments(path), point)
        if status == 0:  # this run had fewer points
            break
        assert status == DIED, (point, status)
        deaths += 1
        promises.check(path, "tictactoe", keeps_all=keeps_all)
        status, *_ = run(main, arguments(path), None)
        assert status == 0, (point, status)
        promises.check(path, "tictactoe", keeps_all=keeps_all)
        assert not promises.leftovers(path), (point, promises.leftovers(path))
        assert finished(path) == expected, f"death at point {point} of {points} changed the end"
    assert deaths, "no run died"
    return deaths


def actor_arguments(folder: Path) -> list[str]:
    """A short actor: random play, a few transactions."""
    return [
        *("--replay-db-path", f"{folder}/replay.db", "--data-dir", f"{folder}", "--log-level", "ERROR"),
        *("--max-episodes", str(EPISODES), "--games", "4", "--seed", "1"),
    ]


def stored_games(folder: Path) -> int:
    """How many games the database has."""
    with closing(sqlite3.connect(folder / "replay.db")) as connection:
        return int(connection.execute("SELECT count(DISTINCT episode_id) FROM transitions").fetchone()[0])


def pruning_arguments(folder: Path) -> list[str]:
    """The same with a window, so that old games are deleted."""
    return [*actor_arguments(folder), "--replay-window", "40"]


def trainer_arguments(folder: Path) -> list[str]:
    """A short run with three checkpoints, resumed where it can be."""
    return [
        *("--db", f"{folder}/replay.db", "--model-dir", f"{folder}/models", "--stats", f"{folder}/stats.json"),
        *("--steps", "30", "--checkpoint-interval", "10", "--max-checkpoints", "2", "--average", "0.9"),
        *("--resume", "--publish-first", "--log-level", "ERROR"),
    ]


def trained(folder: Path) -> tuple[bytes, object]:
    """The model, and what the statistics say of the run."""
    stats = json.loads((folder / "stats.json").read_text())
    steps = [point["step"] for point in stats["history"]]
    return (folder / "models" / LATEST).read_bytes(), (steps, *(stats[name] for name in ("step", "samples_seen")))


def main() -> None:
    """Both commands, in a folder, at every n-th point; prints how often each died."""
    folder, every = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    (folder / "base").mkdir(parents=True)
    of_actor = sweep(actor_main, actor_arguments, folder, every, lambda path: stored_games(path) >= EPISODES)
    of_actor += sweep(
        actor_main, pruning_arguments, folder, every, lambda path: stored_games(path) > 0, keeps_all=False
    )
    run(actor_main, [*actor_arguments(folder / "base"), "--max-episodes", "100"], None)
    import torch  # once for all children

    import trainer.training.learner  # noqa: F401
    from trainer.__main__ import main as trainer_main

    torch.set_num_threads(1)
    deaths = sweep(trainer_main, trainer_arguments, folder, every, trained)
    print(f"an actor died at {of_actor} points, a run of 30 steps at {deaths}, resumed each time to the same model")


if __name__ == "__main__":
    main()
