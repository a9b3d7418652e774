"""The loop on a Ray cluster: a head and two nodes on this machine, which come and go, and processes that are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import run_module
from waiting import PATIENCE, wait_until

from trainer.run.actor_statistics import CLUSTER

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason='needs Ray: pip install "cartridge-trainer[cluster]"')
SCRIPT = Path(__file__).with_name("small_cluster.py")


class SmallCluster:
    """The processes of `small_cluster.py`."""

    def __init__(self, folder: Path, nodes: int) -> None:
        command = [sys.executable, str(SCRIPT), str(folder), str(nodes)]
        environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
        self._log = open(folder / "cluster.log", "wb")  # noqa: SIM115
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment
        )
        self.address = self._line()
        assert self.address, (folder / "cluster.log").read_text()

    def ask(self, word: str) -> None:
        """Add or remove a node."""
        assert self._process.stdin is not None
        print(word, file=self._process.stdin, flush=True)
        assert self._line()

    def kill(self, title: str) -> int:
        """SIGKILL the newest process of an actor; returns its id."""
        found = [one for one in psutil.Process(self._process.pid).children(recursive=True) if title in title_of(one)]
        process = max(found, key=lambda one: one.create_time())
        process.kill()
        return process.pid

    def close(self) -> None:
        """End all."""
        assert self._process.stdin is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        for child in children:
            if child.is_running():
                child.kill()
        self._log.close()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def title_of(process: psutil.Process) -> str:
    """What a process calls itself; empty if it is gone."""
    try:
        return " ".join(process.cmdline()[:1])
    except psutil.Error:
        return ""


@pytest.fixture(scope="module")
def cluster() -> Iterator[SmallCluster]:
    """A head and two nodes, in a folder with a short name."""
    folder = Path(tempfile.mkdtemp(prefix="c", dir="/tmp"))
    small = SmallCluster(folder, 2)
    try:
        yield small
    finally:
        small.close()
        shutil.rmtree(folder, ignore_errors=True)


def players_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The players in actor_stats.json that play now."""
    path = folder / "actor_stats.json"
    actors = json.loads(path.read_text())["actors"] if path.exists() else {}
    return {name: one for name, one in actors.items() if one["space"] == CLUSTER and one["positions_per_second"] > 0}


def check_database(folder: Path) -> dict[str, int]:
    """The rows of each game. Fails if the file is damaged or a game isn't whole."""
    with closing(sqlite3.connect(folder / "replay.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = (
            "SELECT episode_id, count(*), max(step_number) - min(step_number), sum(done) FROM transitions GROUP BY 1"
        )
        rows = connection.execute(query).fetchall()
    assert all((length, done) == (count - 1, 1) for _, count, length, done in rows)
    return {episode: count for episode, count, _, _ in rows}


def counted(folder: Path) -> int:
    """The games that the players counted; each was acknowledged."""
    return int(json.loads((folder / "actor_stats.json").read_text())["episodes_completed"])


def test_the_loop_plays_on_nodes_that_come_and_go(cluster: SmallCluster, tmp_path: Path) -> None:
    """A node leaves, another joins, a player and the hub are killed; Ctrl-C stores all; another set of nodes resumes."""
    words = ["--ray", cluster.address, "--data-dir", tmp_path, "--minutes", 60, "--simulations", 100]
    words += ["--replay-window", "None"]  # so that all games stay
    loop = [sys.executable, "-m", "trainer.loop", *map(str, words)]
    with open(tmp_path / "errors", "wb") as errors:
        process = subprocess.Popen(loop, stdout=subprocess.DEVNULL, stderr=errors)

    def wait(condition: Any, what: str) -> None:
        wait_until(lambda: condition() or process.poll() is not None, what)
        assert process.poll() is None, (tmp_path / "errors").read_text()

    def has_players(count: int) -> bool:
        return len(players_of(tmp_path)) == count

    def plays_the_newest_model() -> bool:
        stats = tmp_path / "stats.json"
        players = players_of(tmp_path).values()
        return stats.exists() and len(players) == 3 and all((one["model_step"] or 0) > 100 for one in players)

    try:
        wait(lambda: has_players(3), "three players don't start")
        wait(plays_the_newest_model, "not all players get new models")
        cluster.ask("remove")
        wait(lambda: has_players(2), "a node that is gone stays in the statistics")
        cluster.ask("add")
        wait(lambda: has_players(3), "a new node doesn't play")
        before = set(players_of(tmp_path))
        cluster.kill("ray::RayPlayer")
        wait(lambda: has_players(3) and set(players_of(tmp_path)) != before, "a killed player isn't replaced")
        acknowledged = counted(tmp_path)
        cluster.kill("ray::RayHub")
        wait(lambda: counted(tmp_path) > acknowledged + 100, "a killed hub isn't replaced")
        assert len(check_database(tmp_path)) >= acknowledged
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(PATIENCE)
    assert status == 130, (tmp_path / "errors").read_text()
    games = check_database(tmp_path)
    assert len(games) >= counted(tmp_path) > 100
    log = (tmp_path / "logs" / "cluster.log").read_text()
    assert "has left, and" in log or "is silent" in log
    cluster.ask("remove")
    step = json.loads((tmp_path / "stats.json").read_text())["step"]
    more = run_module("trainer.loop", "--data-dir", tmp_path, "--resume", "--minutes", "None", "--steps", step + 200)
    assert more.returncode == 0, more.stderr
    assert len(check_database(tmp_path)) > len(games)


def test_there_must_be_a_cluster(tmp_path: Path) -> None:
    """One line, with Ray's reason and what to do."""
    done = run_module("trainer.cluster", "--ray", "127.0.0.1:1", "--data-dir", tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: this machine can't join the Ray cluster 127.0.0.1:1 (")
    assert last.endswith("or connect this machine to it with ray start --address=HEAD:6379")
