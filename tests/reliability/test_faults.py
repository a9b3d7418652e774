"""Other faults from outside: a clock that jumps, damaged rows, a log that was cut short, a second Ctrl-C."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import EMPTY_BOARD, CloseLater, ForeignDatabase, add_random_play, floats
from programs import ending, processes_of
from torture import promises
from torture.faults import stands_still, trainer_for
from waiting import PATIENCE, wait_until

from trainer.actor.actor import act
from trainer.core.errors import ReplayError
from trainer.run.evaluations import EvaluationLog
from trainer.settings.actor import ActorConfig
from trainer.trainer import train
from trainer.training.checkpoint import load_checkpoint


def test_a_clock_that_jumps_changes_nothing(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only time stamps come from the clock of the day: with one that jumps by years the same model comes out."""
    models = []
    for name in ("steady", "jumping"):
        folder = tmp_path / name
        train(trainer_for(folder, db=tictactoe_rows.path, steps=60), threading.Event())
        config = ActorConfig(replay_db_path=folder / "replay.db", data_dir=folder, games=4, max_episodes=10)
        act(config, threading.Event())
        assert promises.check_database(folder / "replay.db") == 10
        models.append((folder / "models" / "latest.onnx").read_bytes())
        jumps = iter(range(10**6))
        monkeypatch.setattr("time.time", lambda jumps=jumps: 1e9 + (-1) ** next(jumps) * 1e8)
    assert models[0] == models[1]


def test_damaged_rows_are_skipped_and_counted_when_that_is_asked(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is named in the log, the first ten; stats.json has their number; without the flag the first one stops it."""
    bad = [{"policy": floats(0.5)}, {"outcome": None}, {"observation": EMPTY_BOARD[4:]}, {"outcome": 7.0}]
    for number in range(15):
        tictactoe_rows.add_tictactoe(1, **bad[number % 4])
        add_random_play(tictactoe_rows, 20, seed=number)
    config = trainer_for(tmp_path, steps=20)
    with pytest.raises(ReplayError, match=r"row foreign-step-\d+ of .*--skip-bad-rows"):
        train(config, threading.Event())
    assert train(replace(config, skip_bad_rows=True), threading.Event()) == 0
    stats = json.loads(config.stats.read_bytes())
    assert (stats["bad_rows"], stats["replay_buffer_size"]) == (15, 500)
    named = [line for line in caplog.messages if line.startswith("skipped: row foreign-step-")]
    assert len(named) == 10
    assert "row foreign-step-200 of" in named[0]
    assert "row foreign-step-221 of" in named[1]


def test_an_evaluation_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    """Whoever writes the next one begins a new line."""
    EvaluationLog(tmp_path / "evaluations.jsonl").append({"step": 1})
    with open(tmp_path / "evaluations.jsonl", "ab") as file:
        file.write(b'{"step": 2, "opp')
    EvaluationLog(tmp_path / "evaluations.jsonl").append({"step": 3})
    assert EvaluationLog(tmp_path / "evaluations.jsonl").read() == [{"step": 1}, {"step": 3}]


@pytest.mark.parametrize("kind", ["actor", "trainer", "loop"])
def test_ctrl_c_twice_leaves_at_once(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, kind: str, close_later: CloseLater
) -> None:
    """Exit status 130 while it waits for a lock that nobody releases; nothing is torn."""
    folder = tmp_path / "run"
    shutil.copytree(tmp_path, folder, ignore=shutil.ignore_patterns("run"))
    words = {
        "actor": f"trainer.actor --replay-db-path {folder}/replay.db --data-dir {folder}",
        "trainer": f"trainer --db {folder}/replay.db --model-dir {folder}/models --stats {folder}/stats.json "
        "--steps 1000000",
        "loop": f"trainer.loop --data-dir {folder} --threads 1 --simulations 10",
    }[kind]
    process = subprocess.Popen(
        [sys.executable, "-m", *words.split()], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    with process, ending(process):
        ready = folder / ("actor_stats.json" if kind == "actor" else "stats.json")
        wait_until(ready.exists, "it doesn't start")
        lock = close_later(sqlite3.connect(folder / "replay.db", timeout=PATIENCE, isolation_level=None))
        if kind != "loop":
            lock.execute("BEGIN EXCLUSIVE")
            wait_until(lambda: stands_still(ready), "it writes on without the database")
        while process.poll() is None:  # more than twice on a slow machine, where two signals can arrive as one
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert errors.endswith("interrupted twice: leaving at once\n")
    lock.close()
    wait_until(lambda: not processes_of(folder), "children stay")
    if kind != "actor":  # its first rows are not games
        load_checkpoint(folder / "models", "tictactoe")
    stats = folder / "stats.json"
    assert not stats.exists() or json.loads(stats.read_bytes())["step"] > 0
