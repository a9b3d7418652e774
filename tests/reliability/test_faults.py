"""Faults from outside: a clear message, the last good state stays in use, work goes on when the cause is gone."""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from browser import Server
from conftest import EMPTY_BOARD, CloseLater, ForeignDatabase, add_random_play, fill, floats, run_module
from episodes import TICTACTOE, episode
from random_models import publish_model
from small_models import linear_model
from torture import promises
from torture.visitor import Visitor
from waiting import PATIENCE, wait_until

from trainer.actor.actor import act
from trainer.core.errors import ReplayError, ReplayUnavailableError, TrainerError
from trainer.core.files import write_bytes
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.onnx_file import load_model
from trainer.launch.watch import Watch
from trainer.replay import ReplayBuffer, ReplayWriter
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.run.training_statistics import TrainingPoint
from trainer.settings.actor import ActorConfig
from trainer.settings.trainer import TrainerConfig
from trainer.trainer import train
from trainer.training.checkpoint import load_checkpoint
from trainer.training.learner import Learner
from trainer.training.tensorboard import EventFiles


def trainer_for(folder: Path, **changed: object) -> TrainerConfig:
    """A run without an end."""
    values = {
        "db": folder / "replay.db",
        "model_dir": folder / "models",
        "stats": folder / "stats.json",
        "steps": 10_000_000,
        "checkpoint_interval": 20,
        "max_wait": 0.0,
        "wait_interval": 0.05,
    }
    return TrainerConfig(**(values | changed))  # type: ignore[arg-type]


@contextmanager
def running(work: Callable[[threading.Event], object]) -> Iterator[list[object]]:
    """Work in a thread until the block ends. What it returned or raised is in the list as soon as it is over."""
    stop = threading.Event()
    result: list[object] = []

    def run() -> None:
        try:
            result.append(work(stop))
        except TrainerError as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield result
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def step_of(folder: Path) -> int:
    """The step that stats.json tells; -1 while there is none."""
    stats = folder / "stats.json"
    return int(json.loads(stats.read_bytes())["step"]) if stats.exists() else -1


def stands_still(path: Path) -> bool:
    """Whether a file stays as it is for two seconds."""
    before = path.stat().st_mtime_ns
    time.sleep(2.0)
    return path.stat().st_mtime_ns == before


def rows_of(folder: Path) -> int:
    """The rows that stats.json tells."""
    return int(json.loads((folder / "stats.json").read_bytes())["replay_buffer_size"])


def delete_database(path: Path) -> None:
    """With what SQLite keeps beside it, which goes first: a writer makes another database when this one is gone."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def test_a_trainer_on_a_full_disk_goes_on_and_writes_again(
    tictactoe_rows: ForeignDatabase, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The files before stay complete; when there is room again, newer ones take their place."""
    config = trainer_for(small_disk, db=tictactoe_rows.path, max_checkpoints=2)
    with running(lambda stop: train(config, stop)) as result:
        wait_until(lambda: step_of(small_disk) > 20, "it doesn't train")
        filler = fill(small_disk)
        wait_until(lambda: "No space left on device" in caplog.text, "it doesn't notice that the disk is full")
        load_model(config.model_dir / "latest.onnx", "tictactoe", 29, 9)
        before = load_checkpoint(config.model_dir, "tictactoe")
        assert before is not None
        filler.unlink()
        wait_until(lambda: step_of(small_disk) > before.step + 100, "it doesn't write again")
    assert result == [130]
    after = load_checkpoint(config.model_dir, "tictactoe")
    assert after is not None
    assert after.step > before.step
    assert promises.leftovers(small_disk) == []
    assert "can't write the files of step" in caplog.text


def test_an_actor_on_a_full_disk_keeps_its_games_until_there_is_room(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The players pause, nothing is half stored, and no finished game is lost."""
    caplog.set_level(logging.INFO)
    config = ActorConfig(replay_db_path=small_disk / "replay.db", data_dir=small_disk, games=4, seed=1)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(130_000_000))
    with running(lambda stop: act(config, stop)) as result:
        wait_until(lambda: "finished games wait until it can" in caplog.text, "it doesn't notice that the disk is full")
        filler.unlink()
        wait_until(lambda: "can be written again" in caplog.text, "it doesn't go on")
    promises.check(small_disk, "tictactoe")
    assert promises.check_database(config.replay_db_path) > 0
    assert "full" in caplog.text
    assert len(result) == 1


def test_a_file_size_limit_is_reported_as_any_full_disk(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """A model that can't be written at the last step is an error in one line, and no part of it is left."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    command = [sys.executable, "-m", "trainer", "--db", str(tictactoe_rows.path), "--steps", "30"]
    command += ["--model-dir", str(tmp_path / "models"), "--stats", str(tmp_path / "stats.json")]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {tmp_path}/models/model_step_000030.onnx: File too large"
    assert promises.leftovers(tmp_path) == []


def test_a_model_folder_that_is_made_read_only_stops_nothing(
    tictactoe_rows: ForeignDatabase, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a full disk: reported, gone on, written again when it can be."""
    config = trainer_for(small_disk, db=tictactoe_rows.path, stats=tictactoe_rows.path.with_name("stats.json"))
    with running(lambda stop: train(config, stop)) as result:
        wait_until(lambda: (config.model_dir / "latest.onnx").exists(), "it doesn't train")
        read_only = ["mount", "-o", "remount,ro", str(small_disk)]  # refused while a file is being written
        wait_until(lambda: subprocess.run(read_only, stderr=subprocess.DEVNULL).returncode == 0, "it always writes")
        wait_until(lambda: "Read-only file system" in caplog.text, "it doesn't notice")
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        stamp = (config.model_dir / "latest.onnx").stat().st_mtime_ns
        wait_until(lambda: (config.model_dir / "latest.onnx").stat().st_mtime_ns != stamp, "it doesn't write again")
    assert result == [130]


def test_a_deleted_database_leaves_its_rows_in_use_and_a_new_one_takes_over(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture, close_later: CloseLater
) -> None:
    """One line when it is gone, one when there is another; the old rows go when the new ones suffice for a batch."""
    config = trainer_for(tmp_path)
    with running(lambda stop: train(config, stop)) as result:
        wait_until(lambda: step_of(tmp_path) > 20, "it doesn't train")
        delete_database(tictactoe_rows.path)
        wait_until(lambda: "is gone; going on with the 200 rows" in caplog.text, "it doesn't notice")
        reached = step_of(tmp_path)
        wait_until(lambda: step_of(tmp_path) > reached, "it doesn't go on")
        database = close_later(ForeignDatabase(tmp_path / "replay.db"))
        add_random_play(database, 30, seed=1)
        wait_until(lambda: rows_of(tmp_path) == 230, "the new rows aren't used beside the old ones")
        add_random_play(database, 60, seed=2)
        wait_until(lambda: rows_of(tmp_path) == 90, "the old rows are not left out")
    assert result == [130]
    assert "was replaced: reading it from the start; the 200 rows that were read stay" in caplog.text


def test_a_database_that_is_replaced_or_emptied_is_read_from_the_start(tmp_path: Path, close_later: CloseLater) -> None:
    """Another file is renamed over it, or its rows are deleted: the buffer follows, whatever the row numbers are."""
    database = close_later(ForeignDatabase(tmp_path / "replay.db"))
    add_random_play(database, 10)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    assert replay.refresh() == 10
    (tmp_path / "new").mkdir()
    other = close_later(ForeignDatabase(tmp_path / "new" / "replay.db"))
    add_random_play(other, 30, seed=3)
    os.replace(other.path, database.path)
    assert replay.refresh() == 30
    assert len(replay) == 30
    other.connection.close()
    other.connection = close_later(sqlite3.connect(database.path))
    other.connection.execute("DELETE FROM transitions")
    other.connection.commit()
    assert replay.refresh() == 0
    assert len(replay) == 30  # training goes on with what there was
    other.rows = 0
    add_random_play(other, 5, seed=4)
    assert replay.refresh() == 5
    assert len(replay) == 5


def test_a_database_that_is_replaced_by_an_empty_file_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, close_later: CloseLater
) -> None:
    """It may stay empty for long, and is looked at several times per second."""
    database = close_later(ForeignDatabase(tmp_path / "replay.db"))
    add_random_play(database, 10)
    replay = close_later(ReplayBuffer(database.path, TICTACTOE))
    replay.refresh()
    (tmp_path / "empty").touch()
    os.replace(tmp_path / "empty", database.path)
    for _ in range(3):
        assert replay.refresh() == 0
    assert sum("was replaced" in message for message in caplog.messages) == 1


@pytest.mark.parametrize("everything", [True, False])
def test_an_actor_whose_database_is_deleted_goes_on_in_a_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, everything: bool, close_later: CloseLater
) -> None:
    """With what SQLite keeps beside it or without: the new one is whole, and has the later games."""
    path = tmp_path / "replay.db"
    writer = close_later(ReplayWriter(path, TICTACTOE))
    writer.write([episode("a-0"), episode("a-1")])
    if everything:
        delete_database(path)
    else:
        path.unlink()
    writer.write([episode("a-2")])
    writer.write([episode("a-3")])
    writer.close()
    assert promises.check_database(path) == 2
    assert "was deleted or replaced: going on in a new file" in caplog.text


def test_a_database_is_deleted_under_a_running_actor_and_trainer(tmp_path: Path) -> None:
    """Both go on: games come into the new database, and the trainer takes them from there."""
    actor = ActorConfig(replay_db_path=tmp_path / "replay.db", data_dir=tmp_path, games=4, simulations=5)
    trainer = trainer_for(tmp_path)
    with running(lambda stop: act(actor, stop)) as played, running(lambda stop: train(trainer, stop)) as trained:
        wait_until(lambda: step_of(tmp_path) > 100, "it doesn't train", played, trained)
        reached = step_of(tmp_path)
        delete_database(tmp_path / "replay.db")
        wait_until((tmp_path / "replay.db").exists, "the actor makes no new database", played, trained)
        wait_until(lambda: step_of(tmp_path) > reached + 500, "it doesn't train on", played, trained)
    assert trained == [130]
    assert len(played) == 1
    assert not isinstance(played[0], Exception)
    assert promises.check_database(tmp_path / "replay.db") > 0


def test_a_database_that_cannot_be_read_for_now_leaves_its_rows_in_use(
    tictactoe_rows: ForeignDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    close_later: CloseLater,
) -> None:
    """Somebody holds it locked for longer than we wait: one warning, and the rows are read when that is over."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("trainer.replay.database.BUSY_SECONDS", 0.1)
    replay = close_later(ReplayBuffer(tictactoe_rows.path, TICTACTOE))
    replay.refresh()
    add_random_play(tictactoe_rows, 10, seed=1)
    tictactoe_rows.connection.execute("BEGIN EXCLUSIVE")
    assert [replay.refresh(), replay.refresh()] == [0, 0]
    assert len(replay) == 200
    tictactoe_rows.connection.execute("ROLLBACK")
    assert replay.refresh() == 10
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "database is locked; going on with the 200 rows" in warnings[0]
    assert "can be read again" in caplog.text


def test_a_write_that_finds_the_database_locked_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close_later: CloseLater
) -> None:
    """The error says that it may pass, and nothing of the game is stored before."""
    monkeypatch.setattr("trainer.replay.database.BUSY_SECONDS", 0.1)
    writer = close_later(ReplayWriter(tmp_path / "replay.db", TICTACTOE))
    other = close_later(sqlite3.connect(tmp_path / "replay.db", isolation_level=None))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ReplayUnavailableError, match="database is locked"):
        writer.write([episode("a-0")])
    other.execute("ROLLBACK")
    writer.write([episode("a-0")])
    assert promises.check_database(tmp_path / "replay.db") == 1


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


@pytest.mark.parametrize("broken", ["cut", "other game", "empty", "NaN", "gone"])
def test_a_broken_latest_model_leaves_the_last_good_one_in_use(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A running actor says what is wrong, plays on with the model before it, and takes the next good one."""
    publish_model(tmp_path, step=1)
    latest = tmp_path / "models" / "latest.onnx"
    good = latest.read_bytes()
    contents = {
        "cut": good[: len(good) // 2],
        "other game": linear_model(np.zeros((93, 7), np.float32)),
        "empty": b"",
        "NaN": linear_model(np.full((29, 9), np.nan, np.float32)),
    }
    caplog.set_level(logging.INFO)
    config = ActorConfig(replay_db_path=tmp_path / "replay.db", data_dir=tmp_path, games=4, simulations=5)
    with running(lambda stop: act(config, stop)) as result:
        wait_until(lambda: "playing with model step 1" in caplog.text, "it doesn't play")
        if broken == "gone":
            latest.unlink()
        else:
            latest.write_bytes(contents[broken])
            wait_until(lambda: "keeping the model before it" in caplog.text, "it says nothing")
        wait_until((tmp_path / "actor_stats.json").exists, "it stores nothing")
        games = json.loads((tmp_path / "actor_stats.json").read_bytes())["episodes_completed"]
        wait_until(
            lambda: json.loads((tmp_path / "actor_stats.json").read_bytes())["episodes_completed"] > games + 20,
            "it doesn't play on",
        )
        stats = json.loads((tmp_path / "actor_stats.json").read_bytes())
        assert next(iter(stats["actors"].values()))["model_step"] == 1
        publish_model(tmp_path, step=2)
        wait_until(lambda: "playing with model step 2" in caplog.text, "it doesn't take the good model")
    assert not isinstance(result[0], Exception)


def test_a_model_that_fails_in_use_is_given_up_for_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is fine on an empty observation and NaN on stones, so only play finds it out."""
    weights = np.zeros((29, 9), np.float32)
    weights[0, 0] = 3e38  # times two stones' worth is more than float32 holds
    latest = tmp_path / "latest.onnx"
    latest.write_bytes(linear_model(np.zeros((29, 9), np.float32)))
    model = ModelFile(latest, "tictactoe", 29, 9, every=0.0)
    before = model.current
    latest.write_bytes(linear_model(weights))
    assert model.poll()
    assert model.current is not None
    with pytest.raises(TrainerError, match="answers NaN or infinity") as raised:
        model.current(np.full((1, 29), 2, np.float32), np.ones((1, 9), np.bool_))
    model.give_up(model.current, raised.value)  # type: ignore[arg-type]
    assert model.current is before
    assert "going back to the model before it" in caplog.text


def test_a_broken_model_leaves_the_page_its_last_good_one(tmp_path: Path) -> None:
    """Each is reported once, the one before it plays on, and the next good one is taken; also by a game under way."""
    run, latest = tmp_path / "run", tmp_path / "run" / "models" / "latest.onnx"
    publish_model(run, step=1)
    good = latest.read_bytes()
    two_stones = np.zeros((29, 9), np.float32)
    two_stones[[4, 0], 8] = -3e38  # infinity in a position that only search gets to
    broken = {
        "is not an ONNX model": good[: len(good) // 2],
        "is a model for another game": linear_model(np.zeros((93, 7), np.float32)),
        "answers NaN or infinity to an empty": linear_model(np.full((29, 9), np.nan, np.float32)),
        "answers NaN or infinity; ": linear_model(two_stones),
    }
    with open(tmp_path / "web.log", "wb") as log:
        server = Server(run, log)
    visitor = Visitor(server.port)
    visitor.json("POST", "/game/new", first="player", simulations=200)
    for number, (what, content) in enumerate(broken.items(), start=1):
        write_bytes(latest, content)
        time.sleep(0.3)  # the page looks for a new model five times a second
        visitor.json("POST", "/game/new", first="player")
        state = visitor.json("POST", "/move", position=4)
        assert (state["model_step"], state["bot_move"] is not None) == (number, True)
        assert what in state["message"]
        assert "the model before it plays" in state["message"]
        model = visitor.json("GET", "/model")
        assert (model["loaded"], model["training_step"]) == (True, number)
        assert what in model["status"]
        assert (tmp_path / "web.log").read_text().count(what) == 1
        publish_model(run, step=number + 1)
        time.sleep(0.3)
        state = visitor.json("POST", "/move", position=state["legal_moves"][0])
        assert state["model_step"] == number + 1
        assert "can't be used" not in state["message"]
    visitor.close()
    assert server.stop() == 0


def test_a_broken_model_or_a_full_disk_costs_the_loop_one_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each, and the next model is evaluated."""
    latest = tmp_path / "models" / "latest.onnx"
    watch = Watch("tictactoe", RunFolder(tmp_path), seed=0)
    write_bytes(latest, b"cut short")
    watch.evaluate("first")
    publish_model(tmp_path, step=2)
    with monkeypatch.context() as patched:
        patched.setattr(EvaluationLog, "append", full_disk)
        watch.evaluate("second")
    watch.evaluate("third")
    assert [entry["step"] for entry in EvaluationLog(tmp_path).read()] == [2]
    assert [line.partition(" (")[0] for line in caplog.messages] == ["the newest model isn't evaluated"] * 2
    assert "No space left" in caplog.text


def test_a_full_disk_ends_what_is_written_for_tensorboard_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so; the points that follow are not tried."""
    written: list[str] = []

    def writer_of(folder: str) -> SimpleNamespace:
        return SimpleNamespace(add_scalar=lambda name, value, step: written.append(name), flush=full_disk)

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=writer_of))
    events = EventFiles(tmp_path)
    events.begin(0)
    for step in (10, 20):
        events.add(TrainingPoint(step, 1.0, 0.5, 0.5, 0.001))
    assert len(written) == 4
    assert caplog.messages == [
        "can't write the losses for TensorBoard (No space left on device); training goes on without them"
    ]


def full_disk(*ignored: object) -> None:
    """What a write to a full disk raises."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_read_only_folder_at_the_start_is_an_error_in_one_line(small_disk: Path, tmp_path: Path) -> None:
    """The database of an actor, the models of a trainer: nothing is begun that could not be stored."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = run_module("trainer.actor", "--replay-db-path", small_disk / "replay.db", "--data-dir", tmp_path)
    assert done.returncode == 1
    assert "can't write to the folder" in done.stderr.splitlines()[-1]
    done = run_module("trainer", "--db", tmp_path / "replay.db", "--model-dir", small_disk, "--stats", tmp_path / "s")
    assert done.returncode == 1
    assert "can't write to the folder" in done.stderr.splitlines()[-1]


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


def test_weights_that_are_not_finite_are_never_published(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of step 40 is still finite when its gradient breaks the weights: the batch is saved, model 20 stays."""
    learn = Learner.learn

    def broken(self, batch, rate):  # type: ignore[no-untyped-def]
        loss = learn(self, batch, rate)
        if self._steps == 40:
            with torch.no_grad():
                next(self.network.parameters())[0, 0] = torch.inf
        return loss

    monkeypatch.setattr(Learner, "learn", broken)
    config = trainer_for(tmp_path)
    with pytest.raises(
        TrainerError,
        match=r"the loss or the weights at step 40 are not finite.*published model is good and the batch is in",
    ):
        train(config, threading.Event())
    assert load_model(config.model_dir / "latest.onnx", "tictactoe", 29, 9).step == 20
    checkpoint = load_checkpoint(config.model_dir, "tictactoe")
    assert checkpoint is not None
    assert checkpoint.step == 20
    assert (tmp_path / "bad-batch-step-40.npz").exists()


def test_an_evaluation_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    """Whoever writes the next one begins a new line."""
    EvaluationLog(tmp_path).append({"step": 1})
    with open(tmp_path / "evaluations.jsonl", "ab") as file:
        file.write(b'{"step": 2, "opp')
    EvaluationLog(tmp_path).append({"step": 3})
    assert EvaluationLog(tmp_path).read() == [{"step": 1}, {"step": 3}]


def test_a_database_that_cannot_be_opened_is_an_error_at_the_start(tmp_path: Path) -> None:
    """A folder in its place, in one line."""
    (tmp_path / "replay.db").mkdir()
    done = run_module(
        "trainer", "--db", tmp_path / "replay.db", "--model-dir", tmp_path / "m", "--stats", tmp_path / "s"
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/replay.db is not a file; give the path of a replay database")
    done = run_module("trainer.actor", "--replay-db-path", tmp_path / "replay.db", "--data-dir", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/replay.db is not a file; give the path of a replay database")


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
    wait_until(lambda: not subprocess.run(["pgrep", "-f", f"{folder}/"], capture_output=True).stdout, "children stay")
    if kind != "actor":  # its first rows are not games
        load_checkpoint(folder / "models", "tictactoe")
    stats = folder / "stats.json"
    assert not stats.exists() or json.loads(stats.read_bytes())["step"] > 0
