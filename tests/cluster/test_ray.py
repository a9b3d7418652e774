"""The loop on a Ray cluster: a head and two nodes on this machine, which come and go, and processes that are killed."""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import run_module
from run_files import put_run
from torture.promises import whole_games
from torture.small_cluster import SmallCluster
from waiting import PATIENCE, wait_until

from trainer.run.actor_stats_file import CLUSTER

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason='needs Ray: pip install -e ".[cluster]"')

REFUSED = " is refused ("
"""In the cluster's log: it isn't tried again until its machine has left."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[SmallCluster]:
    """A head and two nodes."""
    small = SmallCluster(2)
    try:
        yield small
    finally:
        small.close()


def players_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The players in actor_stats.json that play now."""
    path = folder / "actor_stats.json"
    actors = json.loads(path.read_text())["actors"] if path.exists() else {}
    return {name: one for name, one in actors.items() if one["space"] == CLUSTER and one["positions_per_second"] > 0}


def number_of_rows(database: Path) -> int:
    """The rows that are stored."""
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        return int(connection.execute("SELECT count(*) FROM transitions").fetchone()[0])


def counted(folder: Path) -> int:
    """The games that the players counted; each was acknowledged."""
    return int(json.loads((folder / "actor_stats.json").read_text())["episodes_completed"])


def test_the_loop_plays_on_nodes_that_come_and_go(cluster: SmallCluster, tmp_path: Path) -> None:
    """A node leaves, another joins; a player, the hub and the driver are killed; another set of nodes resumes; Ctrl-C."""
    words = ["--ray", cluster.address, "--data-dir", tmp_path, "--minutes", 60, "--simulations", 100]
    words += ["--replay-window", "None"]  # so that all games stay
    words += ["--passes", 0.5]  # few steps, because starting players need the processor
    loop = [sys.executable, "-m", "trainer.loop", *map(str, words)]
    with open(tmp_path / "errors", "wb") as errors:
        process = subprocess.Popen(loop, stdout=subprocess.DEVNULL, stderr=errors)

    def said() -> str:
        log = tmp_path / "logs" / "cluster.log"
        return log.read_text() if log.exists() else ""

    def wait(condition: Any, what: str) -> None:
        try:
            wait_until(lambda: condition() or process.poll() is not None or REFUSED in said(), what)
        except AssertionError as error:
            raise AssertionError(f"{what}; the cluster says:\n{said()[-4000:]}") from error
        assert process.poll() is None, (tmp_path / "errors").read_text()
        assert REFUSED not in said(), f"{what}; were files of the package edited meanwhile?\n{said()[-4000:]}"

    def has_players(count: int) -> bool:
        return len(players_of(tmp_path)) == count

    def three() -> set[str]:
        names: list[set[str]] = []

        def are_there() -> bool:
            names.append(set(players_of(tmp_path)))
            return len(names[-1]) == 3

        wait(are_there, "there are no three players")
        return names[-1]

    def is_replaced(before: set[str]) -> bool:
        now = set(players_of(tmp_path))
        return len(now) == 3 and len(now & before) == 2

    def plays_the_newest_model() -> bool:
        stats = tmp_path / "stats.json"
        players = players_of(tmp_path).values()
        return stats.exists() and len(players) == 3 and all((one["model_step"] or 0) > 100 for one in players)

    try:
        wait(lambda: has_players(3), "three players don't start")
        wait(plays_the_newest_model, "not all players get new models")
        before = three()
        cluster.ask("remove")
        cluster.ask("add")
        wait(lambda: is_replaced(before), "a node that is gone stays in the statistics, or a new node doesn't play")
        at_last = three()
        cluster.kill("ray::RayPlayer")
        wait(lambda: is_replaced(at_last), "a killed player isn't replaced")
        acknowledged = counted(tmp_path)
        cluster.kill("ray::RayHub")
        wait(lambda: counted(tmp_path) > acknowledged + 100, "a killed hub isn't replaced")
        assert len(whole_games(tmp_path / "replay.db")) >= acknowledged
        children = psutil.Process(process.pid).children()
        (driver,) = [child for child in children if child.cmdline()[2:4] == ["-m", "trainer.cluster"]]
        driver.kill()
        assert process.wait(PATIENCE) == 1, "the loop goes on without its driver"
    finally:
        process.terminate()
        process.wait(PATIENCE)
    games = whole_games(tmp_path / "replay.db")
    assert len(games) >= counted(tmp_path) > 100
    log = (tmp_path / "logs" / "cluster.log").read_text()
    assert "has left, and" in log or "is silent" in log
    cluster.ask("remove")
    with open(tmp_path / "errors", "wb") as errors:
        resume = [sys.executable, "-m", "trainer.loop", "--data-dir", str(tmp_path), "--resume"]
        process = subprocess.Popen(resume, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        wait(
            lambda: number_of_rows(tmp_path / "replay.db") > sum(games.values()),
            "the run that was resumed stores no game",
        )
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(PATIENCE)
    assert status == 130, (tmp_path / "errors").read_text()
    stored = whole_games(tmp_path / "replay.db")
    assert len(stored) > len(games)
    assert len(stored) >= counted(tmp_path)  # Ctrl-C stored all that was counted


def test_two_hubs_store_side_by_side(
    cluster: SmallCluster,
    tmp_path: Path,
    call_main: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each has whole games of its own; the loop learns from both, and so do the commands that take a database.

    The folder of the run is relative to that of the loop, which is another one than that of the hubs.
    """
    words = ["--ray", cluster.address, "--replay-shards", 2, "--data-dir", tmp_path.name, "--minutes", 60]
    words += ["--replay-window", "None"]  # so that all games stay
    loop = [sys.executable, "-m", "trainer.loop", *map(str, words)]
    process = subprocess.Popen(loop, stderr=subprocess.PIPE, cwd=tmp_path.parent)
    databases = [tmp_path / "replay-0.db", tmp_path / "replay-1.db"]

    def learned_from_both() -> bool:
        stats = tmp_path / "stats.json"
        learned = stats.exists() and json.loads(stats.read_text())["step"] > 100
        return learned and all(database.exists() and number_of_rows(database) for database in databases)

    try:
        wait_until(lambda: learned_from_both() or process.poll() is not None, "one of two hubs has no games")
    finally:
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 130, errors
    games = [whole_games(database) for database in databases]
    assert not games[0].keys() & games[1].keys()
    assert sum(map(len, games)) >= counted(tmp_path) > 0
    rows = sum(sum(several.values()) for several in games)
    pattern = tmp_path / "replay-*.db"
    other = ["--model-dir", tmp_path / "other", "--stats", tmp_path / "other.json"]
    with caplog.at_level(logging.INFO):
        assert call_main("trainer.__main__", "--db", pattern, "--steps", 10, *other) == 0
    assert f"on {rows} rows of" in caplog.text
    model = tmp_path / "models" / "latest.onnx"
    assert call_main("trainer.evaluator", "--db", pattern, "--model", model, "--games", 2) == 0
    capsys.readouterr()
    assert call_main("trainer.loop", "--data-dir", tmp_path, "--resume", "--ray", "None") == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "--replay-shards" in said


def test_there_must_be_a_cluster(tmp_path: Path) -> None:
    """One line, with Ray's reason and what to do. The loop says so before it sets an earlier run aside."""
    put_run(tmp_path)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    for command in ("trainer.cluster", "trainer.loop"):
        done = run_module(command, "--ray", "127.0.0.1:1", "--data-dir", tmp_path)
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("error: this machine can't join the Ray cluster 127.0.0.1:1 (")
        assert last.endswith("or connect this machine to it with ray start --address=HEAD:6379")
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
