"""`kill -9` of actor, trainer, loop and page at random moments: `python -m torture.kills FOLDER [MOMENTS]`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from browser import Server, lasting_port, serving
from programs import ending, processes_of
from run_files import put_run
from waiting import PATIENCE, wait_until

from torture import promises
from torture.visitor import Crowd, Visitor
from trainer.core.json_values import read_json_object
from trainer.run.folder import ACTOR_STATS_FILE

LONGEST = 3.0
"""Seconds within which a process is killed: every third time after its start, else after it has begun to work."""
KEPT = 10**9
"""Positions that the database of a loop keeps: all."""
UNITS = {"actor": "whole games", "trainer": "steps", "loop": "whole games", "web": "answers"}
"""What is killed, and what there is to count in the end."""
KINDS = tuple(UNITS)


def command(kind: str, folder: Path, end: bool = False) -> list[str]:
    """A command of each kind that runs until it is killed, or (`end`) ends soon. No games are deleted: they are counted."""
    if kind == "actor":
        words = f"trainer.actor --replay-db-path {folder}/replay.db --data-dir {folder} --games 32 --simulations 20"
        words += f" --max-episodes {20 if end else 100_000}"
    elif kind == "trainer":
        words = f"trainer --db {folder}/replay.db --model-dir {folder}/models --stats {folder}/stats.json --resume"
        words += f" --checkpoint-interval 5 --stats-interval 1 --log-interval 100 --steps {1 if end else 1_000_000}"
    else:
        words = f"trainer.loop --env-id tictactoe --data-dir {folder} --resume --threads 1 --simulations 10"
        words += f" --seed 1 --replay-window {KEPT}"
        words += " --steps 50" if end else f" --steps 1_000_000 --web --web-port {lasting_port()}"
    return [sys.executable, "-m", *words.split()]


def counted(kind: str, folder: Path) -> int:
    """The steps of a trainer or the games of actors, by their statistics; 0 while there are none."""
    name, field = ("stats.json", "step") if kind == "trainer" else (ACTOR_STATS_FILE, "episodes_completed")
    return int((read_json_object(folder / name) or {}).get(field, 0))


def goes_on(process: subprocess.Popen[bytes], kind: str, folder: Path, before: int) -> bool:
    """Whether a process has made a step or a game, or has ended."""
    return counted(kind, folder) > before or process.poll() is not None


def nothing_runs(folder: Path) -> bool:
    """Whether no process works in the folder."""
    return not processes_of(folder)


def kill_often(kind: str, folder: Path, moments: int, seed: int) -> int:
    """Start, kill, check, so often; then a start that ends by itself. Returns the games or steps there are then."""
    generator = random.Random(f"{kind}-{seed}")
    for moment in range(moments):
        games_before = promises.check_database(folder / "replay.db")
        if kind != "trainer":
            (folder / ACTOR_STATS_FILE).unlink(missing_ok=True)
        before = counted(kind, folder)
        with open(folder / "killed.log", "wb") as log:
            process = subprocess.Popen(command(kind, folder), stdout=log, stderr=log)
        with ending(process):
            if moment % 3:
                works = partial(goes_on, process, kind, folder, before)
                wait_until(works, f"the {kind} makes nothing")
            time.sleep(generator.uniform(0.0, LONGEST))
            whole_machine = kind == "loop" and moment % 2
            for child in processes_of(folder) if whole_machine else []:
                os.kill(child, signal.SIGKILL)
            ended = process.poll()
        assert ended in (None, -9), (kind, moment, ended, (folder / "killed.log").read_text())
        if kind == "loop":  # they notice that it is gone
            wait_until(partial(nothing_runs, folder), "the loop's processes outlive it")
        promises.check(folder, "tictactoe", games_before if kind != "trainer" else 0)
    last = subprocess.run(command(kind, folder, end=True), capture_output=True, text=True, timeout=PATIENCE)
    assert last.returncode == 0, last.stderr
    promises.check(folder, "tictactoe", 0)
    assert promises.leftovers(folder) == []
    if kind == "trainer":
        return int(json.loads((folder / "stats.json").read_bytes())["step"])
    return promises.check_database(folder / "replay.db")


def kill_page(folder: Path, moments: int, seed: int) -> int:
    """The same for the server of the page, while visitors play and look around: it changes no file of the run.

    Returns how many answers they got.
    """
    generator = random.Random(f"web-{seed}")
    put_run(folder)
    before = contents(folder)
    answers = 0
    for moment in range(moments):
        if moment % 3:
            server = Server(folder)
            try:
                visitors = Crowd(server.port, 3)
                wait_until(lambda visitors=visitors: visitors.answers, "nobody gets an answer", visitors.failures)
                time.sleep(generator.uniform(0.0, LONGEST))
            finally:
                server.kill()  # then the visitors leave
            answers += visitors.join()
        else:  # during its start
            words = f"trainer.web --data-dir {folder} --port 0"
            process = subprocess.Popen([sys.executable, "-m", *words.split()], stdout=subprocess.DEVNULL)
            time.sleep(generator.uniform(0.0, LONGEST))
            process.kill()
            assert process.wait() == -9
        promises.check(folder, "tictactoe")
        assert contents(folder) == before, "the page changed a file of the run"
    with serving(folder) as server:
        Visitor(server.port).look_around(generator)
        assert server.stop() == 0
    assert promises.leftovers(folder) == []
    return answers


def contents(folder: Path) -> dict[Path, bytes]:
    """The files of a run, without what SQLite keeps beside the database."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "replay.db-" not in path.name}


def main() -> None:
    """All kinds side by side, each in a folder of its own."""
    folder, moments = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
    subprocess.run(command("actor", folder / "trainer", end=True), check=True, stderr=subprocess.DEVNULL)
    (folder / "trainer" / ACTOR_STATS_FILE).unlink()
    share = [moments // len(KINDS) + (number < moments % len(KINDS)) for number in range(len(KINDS))]
    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(kill_page, folder / kind, count, 1)
            if kind == "web"
            else pool.submit(kill_often, kind, folder / kind, count, 1)
            for kind, count in zip(KINDS, share, strict=True)
        ]
        ends = [
            f"{kind} {count} ({job.result():,} {UNITS[kind]})"
            for kind, count, job in zip(KINDS, share, jobs, strict=True)
        ]
    print(f"killed {moments} times: {', '.join(ends)}")


if __name__ == "__main__":
    main()
