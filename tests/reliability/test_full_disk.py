"""Full disks and read-only folders: work goes on, and what wasn't written is written later."""

from __future__ import annotations

import logging
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ForeignDatabase, fill
from programs import LARGEST_FILE
from torture import promises
from torture.faults import full_disk, running, step_of, trainer_for
from waiting import PATIENCE, wait_until

from trainer.actor.actor import act
from trainer.evaluators.loader import ModelLoader
from trainer.run.training_statistics import TrainingPoint
from trainer.settings.actor import ActorConfig
from trainer.trainer import train
from trainer.training.checkpoint import load_checkpoint
from trainer.training.tensorboard import EventFiles


def test_a_trainer_on_a_full_disk_goes_on_and_writes_again(
    tictactoe_rows: ForeignDatabase, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The files before stay complete; when there is room again, newer ones take their place."""
    config = trainer_for(small_disk, db=tictactoe_rows.path, max_checkpoints=2)
    with running(lambda stop: train(config, stop)) as result:
        wait_until(lambda: step_of(small_disk) > 20, "it doesn't train")
        filler = fill(small_disk)
        wait_until(lambda: "No space left on device" in caplog.text, "it doesn't notice that the disk is full")
        ModelLoader("tictactoe").load(config.model_dir / "latest.onnx")
        before = load_checkpoint(config.model_dir, "tictactoe")
        assert before is not None
        filler.unlink()
        wait_until(lambda: step_of(small_disk) > before.step + 100, "it doesn't write again")
    assert result == [130]
    after = load_checkpoint(config.model_dir, "tictactoe")
    assert after is not None
    assert after.step > before.step
    assert promises.leftovers(small_disk) == []
    assert caplog.text.count("can't write the files of step") in (1, 2)  # models and statistics, each once


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
    assert promises.check_database(config.replay) > 0
    with closing(sqlite3.connect(config.replay)) as connection:
        names = connection.execute("SELECT DISTINCT episode_id FROM transitions").fetchall()
    numbers = {int(name.split("-game-")[1].split("-")[0]) for (name,) in names}
    missing = set(range(max(numbers) + 1)) - numbers
    assert len(missing) <= config.games, "only games that were in progress at the end may lack"
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


def test_no_process_of_the_tests_writes_a_file_without_end(tmp_path: Path) -> None:
    """It may write LARGEST_FILE bytes and none more, as `bound_files` sets it for all tests. (These are a hole: no disk.)"""
    (tmp_path / "large").touch()
    program = "import os, sys; os.truncate(sys.argv[1], int(sys.argv[2]))"
    for size, status in ((LARGEST_FILE, 0), (LARGEST_FILE + 1, 1)):
        command = [sys.executable, "-c", program, str(tmp_path / "large"), str(size)]
        assert subprocess.run(command, stderr=subprocess.DEVNULL, timeout=PATIENCE).returncode == status


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


def test_a_read_only_folder_at_the_start_is_an_error_in_one_line(
    small_disk: Path, tmp_path: Path, call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The database of an actor, the models of a trainer: nothing is begun that could not be stored."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for module, words in (
        ("trainer.actor.__main__", ("--replay-db-path", small_disk / "replay.db", "--data-dir", tmp_path)),
        ("trainer.__main__", ("--db", tmp_path / "a.db", "--model-dir", small_disk, "--stats", tmp_path / "s")),
    ):
        assert call_main(module, *words) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"error: can't write to the folder {small_disk} (")
        assert said.count("\n") == 1
