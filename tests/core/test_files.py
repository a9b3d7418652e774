"""Files are complete or absent."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from waiting import dead_process

from trainer.core.errors import ConfigError
from trainer.core.files import (
    TEMPORARY_PREFIX,
    atomic_write,
    make_writable_folder,
    remove_leftovers,
    temporary_folder,
    write_bytes,
)
from trainer.core.json_values import read_json_object, write_json
from trainer.core.processes import is_alive


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("durable", [True, False])
def test_readers_see_the_old_content_until_the_new_is_complete(tmp_path: Path, durable: bool) -> None:
    """The name changes its content in one step, when the block ends."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    with atomic_write(path, durable) as file:
        file.write(b"new and ")
        file.flush()
        assert path.read_bytes() == b"old"
        file.write(b"longer")
    assert path.read_bytes() == b"new and longer"
    assert names(tmp_path) == {"model.onnx"}


@pytest.mark.parametrize("old", [b"old", None])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_what_was_there_and_no_trace(
    tmp_path: Path, error: type[BaseException], old: bytes | None
) -> None:
    """Whatever ends the block early, also the end of the process by a signal that Python handles."""
    path = tmp_path / "model.onnx"
    if old is not None:
        path.write_bytes(old)

    def interrupted() -> None:
        with atomic_write(path) as file:
            file.write(b"half of it")
            raise error

    with pytest.raises(error):
        interrupted()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == ({"model.onnx": old} if old else {})


@pytest.mark.parametrize(("durable", "expected"), [(True, ["fsync", "replace", "fsync"]), (False, ["replace"])])
def test_durable_files_are_flushed_before_they_are_renamed_and_their_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool, expected: list[str]
) -> None:
    """Else a power failure could leave the new name with nothing in it."""
    done: list[str] = []

    def noted(name: str, real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            done.append(name)
            real(*arguments)

        return call

    monkeypatch.delattr("fcntl.F_FULLFSYNC", raising=False)  # macOS has it
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    write_bytes(tmp_path / "model.onnx", b"content", durable)
    assert done == expected


def test_a_system_with_a_fuller_flush_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS fsync leaves the content in the disk's cache."""
    asked: list[object] = []
    monkeypatch.setattr("fcntl.F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr("fcntl.fcntl", lambda handle, command: asked.append(command))
    write_bytes(tmp_path / "model.onnx", b"content")
    assert asked == [51, 51]  # the file, and its folder


def test_the_folder_is_made(tmp_path: Path) -> None:
    """And the folders above it."""
    write_bytes(tmp_path / "a" / "b" / "file", b"content")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"content"


def test_temporary_files_are_siblings_with_the_temporary_prefix(tmp_path: Path) -> None:
    """A rename is atomic within one folder only, and readers of the folder know what to ignore."""
    with atomic_write(tmp_path / "stats.json"):
        (temporary,) = names(tmp_path)
        assert temporary.startswith(TEMPORARY_PREFIX)
        assert TEMPORARY_PREFIX == ".tmp-"


def test_leftovers_of_dead_processes_are_removed_and_of_living_ones_kept(tmp_path: Path) -> None:
    """Nobody will finish what a dead process began. Names that are not ours belong to other programs."""
    write_bytes(tmp_path / "latest.onnx", b"model")
    for name in (f".tmp-{os.getpid()}-stats.json", ".tmp-1-latest.onnx", ".tmp-", ".tmp-latest.onnx", ".tmp-7up-a"):
        (tmp_path / name).touch()
    with atomic_write(tmp_path / "checkpoint") as file:
        remove_leftovers(tmp_path)
        file.write(b"step 7")
    assert (tmp_path / "checkpoint").read_bytes() == b"step 7"
    assert names(tmp_path) == {"latest.onnx", "checkpoint", ".tmp-", ".tmp-latest.onnx", ".tmp-7up-a"}


def test_temporary_folders_of_killed_processes_are_removed_and_of_living_ones_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process removes what others left; its own folder goes at the end of the block."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    holding = (
        "import sys, tempfile; from trainer.core.files import temporary_folder\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "with temporary_folder('ours-') as folder: (folder / 'model').touch(); print('there', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        (theirs,) = names(tmp_path)
        with temporary_folder("ours-") as folder:
            assert names(tmp_path) == {theirs, folder.name}
            assert (tmp_path / theirs / "model").exists()
        assert names(tmp_path) == {theirs}
        process.kill()
        process.wait()
    (tmp_path / "ours-not").mkdir()  # somebody else's, or one that is being made
    with temporary_folder("ours-") as folder:
        assert names(tmp_path) == {"ours-not", folder.name}
    assert names(tmp_path) == {"ours-not"}


def test_a_process_of_another_container_keeps_its_temporary_file(tmp_path: Path) -> None:
    """There, its id is one that no process has here."""
    writing = (
        "import sys, pathlib, os; os.getpid = lambda: 2**30; from trainer.core.files import atomic_write\n"
        "with atomic_write(pathlib.Path('model.onnx')) as file: print('writing', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", writing], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        remove_leftovers(tmp_path)
        assert names(tmp_path) == {f".tmp-{2**30}-model.onnx"}
        process.stdin.close()
    assert (process.returncode, names(tmp_path)) == (0, {"model.onnx"})


def test_two_writers_with_the_same_temporary_name_take_turns(tmp_path: Path) -> None:
    """Processes of two containers can have the same id; each file is whole, and the later one stays."""
    path = tmp_path / "stats.json"
    began, written = threading.Event(), threading.Event()

    def second() -> None:
        began.set()
        write_bytes(path, b"2")
        written.set()

    with atomic_write(path) as file:
        other = threading.Thread(target=second)
        other.start()
        assert began.wait(60)
        assert not written.wait(0.2)
        file.write(b"first")
    other.join(60)
    assert path.read_bytes() == b"2"
    assert names(tmp_path) == {"stats.json"}


def test_who_is_interrupted_while_waiting_leaves_the_file_to_its_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file belongs to the process that has locked it."""
    path = tmp_path / "stats.json"

    def interrupted(file: IO[bytes], how: int) -> None:
        file.close()
        raise KeyboardInterrupt

    with atomic_write(path) as file:
        with monkeypatch.context() as patched:
            patched.setattr("trainer.core.files.fcntl.flock", interrupted)
            with pytest.raises(KeyboardInterrupt):
                write_bytes(path, b"second")
        file.write(b"first")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == {"stats.json"}


def test_a_process_is_alive_until_it_has_ended() -> None:
    """This one, the first one of the machine (which may be another user's), and one that is gone."""
    assert is_alive(os.getpid())
    assert is_alive(1)
    assert not is_alive(dead_process())


def test_json_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """One object in one file."""
    write_json(tmp_path / "stats.json", {"step": 3, "loss": 0.5, "history": [1, 2]})
    assert read_json_object(tmp_path / "stats.json") == {"step": 3, "loss": 0.5, "history": [1, 2]}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path, number: float) -> None:
    """A page could not read them; the file before stays."""
    write_json(tmp_path / "stats.json", {"loss": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "stats.json", {"loss": number})
    assert read_json_object(tmp_path / "stats.json") == {"loss": 1.0}
    assert names(tmp_path) == {"stats.json"}


@pytest.mark.parametrize("content", [None, b"", b'{"step": 1', b"[1, 2]", b"3", b"\xff\xfe\x00"])
def test_what_is_no_json_object_is_read_as_none(tmp_path: Path, content: bytes | None) -> None:
    """No file, an empty one, a part of one, other JSON, other bytes."""
    path = tmp_path / "stats.json"
    if content is not None:
        path.write_bytes(content)
    assert read_json_object(path) is None


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    """Renaming a file over it would leave the reader waiting."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()))
    reader.start()
    write_bytes(path, b"content")
    reader.join()
    assert found == [b"content"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    """As root, `--json /dev/null` would otherwise replace the machine's null device."""
    path = tmp_path / "null"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("this file system holds no devices")
    write_bytes(path, b"content")
    assert stat.S_ISCHR(path.stat().st_mode)


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    """Also one that points to nothing yet, from another folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/file")
    for content in (b"first", b"second"):
        write_bytes(link, content)
        assert link.is_symlink()
        assert (folder / "file").read_bytes() == content
    assert sorted(path.name for path in folder.iterdir()) == ["file"]


def test_a_link_to_standard_output_reaches_it(tmp_path: Path) -> None:
    """Even if that is a regular file, which a rename would leave behind."""
    link, output = tmp_path / "stdout", tmp_path / "output"
    link.symlink_to("/dev/stdout")
    program = (
        f"from pathlib import Path; from trainer.core.files import write_bytes; write_bytes(Path({str(link)!r}), b'x')"
    )
    with open(output, "wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert output.read_bytes() == b"x"
    assert link.is_symlink()


def test_a_folder_is_made_unless_it_cannot_be_written_to(tmp_path: Path) -> None:
    """The error names the flag that chose it. The probe leaves nothing."""
    make_writable_folder(tmp_path / "a" / "b", "--data-dir")
    assert list((tmp_path / "a").rglob("*")) == [tmp_path / "a" / "b"]
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^can't write to the folder .*file/b \(Not a directory\); .* --data-dir$"):
        make_writable_folder(tmp_path / "file" / "b", "--data-dir")
