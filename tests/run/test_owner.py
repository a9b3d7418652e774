"""A run belongs to one process at a time."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from conftest import ForeignDatabase, run_module
from programs import ending
from run_files import trainer_config
from waiting import PATIENCE, wait_until

from trainer.core.errors import ConfigError
from trainer.run import owner
from trainer.run.owner import owned
from trainer.trainer import train

HOLD = """
import sys, time
from pathlib import Path
from trainer.run.owner import owned
with owned(Path(sys.argv[1]), "cartridge loop", "--data-dir"):
    print("owned", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(models: Path, parent: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns a model folder, or shares it with its loop `parent`. It is killed when the block ends."""
    command = [sys.executable, "-c", HOLD, str(models)]
    environment = os.environ | ({} if parent is None else {"CARTRIDGE_PARENT": str(parent)})
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process, ending(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        yield process


@contextmanager
def orphan(models: Path) -> Iterator[subprocess.Popen[str]]:
    """The trainer of a loop that was killed."""
    with holder(models) as loop, holder(models, loop.pid) as trainer:
        loop.kill()
        loop.wait(PATIENCE)
        yield trainer


def test_a_folder_with_an_owner_is_refused_until_it_dies(tmp_path: Path) -> None:
    """The message names the command, the process and the time; after SIGKILL the folder is free at once."""
    with holder(tmp_path / "models") as other:
        message = (
            rf"the run in {tmp_path} belongs to cartridge loop \(process {other.pid} on .*\), since 20.*--model-dir"
        )
        with pytest.raises(ConfigError, match=message), owned(tmp_path / "models", "cartridge train", "--model-dir"):
            pass
    with owned(tmp_path / "models", "cartridge train", "--model-dir"):
        pass


def test_a_file_system_without_locks_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS answers so if a file isn't open for writing."""

    def refuse(file: object, how: int) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", refuse)
    message = rf"^no file can be locked in {tmp_path} \(Bad file descriptor\); use a folder on a local disk$"
    with pytest.raises(ConfigError, match=message), owned(tmp_path / "models", "cartridge loop", "--data-dir"):
        pass


def test_a_folder_has_one_owner_however_its_path_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a link, or from inside."""
    with holder(tmp_path / "models"):
        (tmp_path / "models").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "models")
        monkeypatch.chdir(tmp_path / "models")
        for path in (Path("."), tmp_path / "link", Path("../models")):
            with (
                pytest.raises(ConfigError, match="belongs to cartridge loop"),
                owned(path, "cartridge train", "--model-dir"),
            ):
                pass


def test_a_trainer_shares_the_run_of_the_loop_that_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other one does."""
    with holder(tmp_path / "models") as other:
        monkeypatch.setenv("CARTRIDGE_PARENT", str(other.pid))
        with owned(tmp_path / "models", "cartridge train", "--model-dir"):
            pass
        monkeypatch.setenv("CARTRIDGE_PARENT", str(os.getpid()))
        with pytest.raises(ConfigError), owned(tmp_path / "models", "cartridge train", "--model-dir"):
            pass


def test_a_new_owner_waits_for_the_trainer_of_a_killed_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its last step would write old models into the new run. Once it has ended, the new owner goes on."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(owner, "ORPHAN_SECONDS", PATIENCE)

    def own() -> None:
        with owned(tmp_path / "models", "cartridge loop", "--data-dir"):
            pass

    with orphan(tmp_path / "models") as trainer, ThreadPoolExecutor(1) as pool:
        owning = pool.submit(own)
        try:
            wait_until(lambda: "waiting until it has ended" in caplog.text, "it doesn't wait")
            assert not owning.done()
        finally:
            trainer.kill()
        owning.result(PATIENCE)


def test_a_trainer_that_does_not_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some time, and the lock of the run is given back."""
    monkeypatch.setattr(owner, "ORPHAN_SECONDS", 0)
    with orphan(tmp_path / "models") as trainer:
        message = rf"the run in {tmp_path} is still written by cartridge loop \(process {trainer.pid} on .*--data-dir"
        for _ in range(2):
            with pytest.raises(ConfigError, match=message), owned(tmp_path / "models", "cartridge loop", "--data-dir"):
                pass


def test_two_loops_and_a_trainer_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second loop and the trainer beside the first one are refused, and change nothing."""
    loop = [sys.executable, "-m", "trainer.loop", "--data-dir", str(tmp_path), "--minutes", "60", "--threads", "1"]
    first = subprocess.Popen(loop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: (tmp_path / "stats.json").exists(), "the first loop doesn't train")
        second = run_module("trainer.loop", "--data-dir", tmp_path, "--steps", 10, timeout=PATIENCE)
        trainer = run_module(
            "trainer",
            "--db",
            tmp_path / "replay.db",
            "--model-dir",
            tmp_path / "models",
            "--stats",
            tmp_path / "other.json",
            timeout=PATIENCE,
        )
        for done in (second, trainer):
            assert done.returncode == 1
            assert done.stderr.startswith(
                f"error: the run in {tmp_path} belongs to cartridge loop (process {first.pid} on "
            )
        assert not list((tmp_path / "models").glob("old-*"))
        assert not (tmp_path / "other.json").exists()
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(PATIENCE)


def test_statistics_have_one_writer_though_the_models_differ(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Else a second trainer would set the files of the first aside while that still writes them."""
    config = trainer_config(tmp_path, db=tictactoe_rows.path)
    with holder(config.stats), pytest.raises(ConfigError, match=r"belongs to .* choose another folder with --stats"):
        train(config, Event())
    assert not (tmp_path / "run.json").exists()
