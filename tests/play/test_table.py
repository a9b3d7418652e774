"""Playing in the terminal: lines that are piped in, and keys of a real terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from random_models import publish_model
from waiting import PATIENCE, wait_until

from trainer.core.errors import ConfigError, ModelError
from trainer.play.keys import characters, names
from trainer.play.table import Table, path_of
from trainer.settings.play import PlayConfig


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Tic-tac-toe against a model with random weights; the person begins."""
    publish_model(tmp_path)
    return Table(PlayConfig(data_dir=tmp_path, simulations=20))


def played(table: Table) -> list[str]:
    """The names of the moves so far."""
    game = table.game
    return [position.name(action) for position, action in zip(game.positions, game.actions, strict=False)]


def test_moves_and_words_are_obeyed(table: Table) -> None:
    """A move, the model's answer, a hint, a level, undo, a new game, the end."""
    table.obey("b2")
    table.let_model_play()
    assert played(table)[0] == "b2"
    assert len(played(table)) == 2
    assert table.said.startswith(f"The model plays {played(table)[1]}. Your turn")
    table.obey("hint")
    assert table.said.startswith("The model would play ")
    table.obey("level 7")
    assert table.game.simulations == 7
    table.obey("undo")
    assert played(table) == []
    table.obey("undo")
    assert table.said == "There is no move of yours to take back."
    table.obey("a1")
    table.obey("new")
    assert (played(table), table.game.simulations) == ([], 7)
    table.obey("quit")
    assert table.over


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (0, "From now on the model plays by its raw policy."),
        (1, "From now on the model plays by 1 simulation per move."),
        (1200, "From now on the model plays by 1,200 simulations per move."),
    ],
)
def test_a_level_is_told(table: Table, level: int, said: str) -> None:
    """With the step of the model, if that is known."""
    table.obey(f"level {level}")
    assert re.sub(r" \(step [0-9,]+\)", "", table.said) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("z9", "'z9' is not a legal move here (legal: {names}), nor one of: hint, undo, level N, new, quit"),
        ("level", "A level is a number of simulations from 0 to 10,000, as in: level 400"),
        ("level -1", "A level is a number of simulations from 0 to 10,000, as in: level 400"),
    ],
)
def test_other_words_are_answered(table: Table, words: str, said: str) -> None:
    """Nothing changes."""
    names = "a3, b3, c3, a2, b2, c2, a1, b1, c1"
    table.obey(words)
    assert (table.said, played(table)) == (said.format(names=names), [])


def command(folder: Path) -> list[str]:
    """The command, as a user types it."""
    return [sys.executable, "-m", "trainer.play", "--data-dir", str(folder), "--simulations", "5"]


@pytest.mark.command
def test_lines_are_read_where_there_is_no_terminal(tmp_path: Path) -> None:
    """Until the input ends; the model has the first move as asked for."""
    publish_model(tmp_path)
    done = subprocess.run(
        [*command(tmp_path), "--seat", "second"], input="hint\n", capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "The model plays" in done.stdout
    assert "The model would play" in done.stdout


@pytest.mark.command
def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """With the path."""
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: there is no model at {tmp_path / 'models' / 'latest.onnx'}")
    assert done.stderr.count("\n") == 1


def test_a_game_without_a_model_says_which_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of Go one of 5x5 comes with the package."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ModelError, match=r"there is no model of go: no data/go/models/latest\.onnx, and none .*go:size=5"
    ):
        path_of(PlayConfig(env_id="go"))


def test_a_model_is_named_once(tmp_path: Path) -> None:
    """Both flags at once would leave one of them out."""
    with pytest.raises(ConfigError, match=r"^--model is a\.onnx and --data-dir is b; each names a model, so give one"):
        PlayConfig(model=Path("a.onnx"), data_dir=Path("b")).check()


def quits(terminal: int) -> bool:
    """Whether a key, Ctrl-\\, ends what runs there without giving the terminal back."""
    termios = pytest.importorskip("termios")
    return bool(termios.tcgetattr(terminal)[6][termios.VQUIT] != bytes([os.fpathconf(terminal, "PC_VDISABLE")]))


def echoes(terminal: int) -> bool:
    """Whether a terminal shows what is typed."""
    termios = pytest.importorskip("termios")
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


@pytest.mark.command
def test_a_move_by_arrow_keys(tmp_path: Path) -> None:
    """In a terminal: up and Enter play b3; typed words work too. While suspended, the terminal is as it was."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    publish_model(tmp_path)
    ours, theirs = pty.openpty()
    assert echoes(ours)
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(
        command(tmp_path), stdin=theirs, stdout=theirs, stderr=theirs, env=environment, process_group=0
    )  # a job of this process, as of a shell
    os.close(theirs)
    seen = ""

    def wait_for(words: str) -> None:
        nonlocal seen
        while words not in seen:
            assert select.select([ours], [], [], PATIENCE)[0], f"{words!r} doesn't appear: {seen}"
            try:
                seen += os.read(ours, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"it ended before {words!r}: {seen}") from None

    try:
        wait_for("Arrow keys and Enter")
        os.write(ours, b"\x1b[A\r")
        wait_for("The model plays")
        os.write(ours, b"undo\r")
        wait_for("Taken back")
        assert not echoes(ours)
        assert not quits(ours)
        process.send_signal(signal.SIGTSTP)
        stopped = os.WUNTRACED | os.WNOHANG
        wait_until(lambda: os.waitpid(process.pid, stopped)[0], "the game isn't suspended")
        assert echoes(ours)
        seen = ""
        process.send_signal(signal.SIGCONT)
        wait_for("Arrow keys and Enter")
        wait_until(lambda: not echoes(ours), "the game doesn't go on")
        os.write(ours, b"level 77\r")
        wait_for("From now on")
        assert not echoes(ours)
        os.write(ours, b"quit\r")
        assert process.wait(PATIENCE) == 0
        assert echoes(ours)
        assert quits(ours)
    finally:
        process.kill()
        os.close(ours)


def test_keys_have_names() -> None:
    """Arrows of both kinds, Enter, Backspace, Escape, characters; other keys are left out; Ctrl-D is the end."""
    typed = ["\x1b[A\x1bOD", "eé4\r", "\x7f", "\x1b", "\x1b[3~\x1b[1;5C\x1bOP", "\x07\x04x"]
    assert list(names(iter(typed))) == ["up", "left", "e", "é", "4", "enter", "back", "escape"]


def test_what_a_key_sends_may_come_in_pieces() -> None:
    """Thirty held arrows in reads of any size; a character of two bytes; the Escape key alone."""
    reads, writes = os.pipe()
    os.write(writes, b"\x1b[A" * 30 + "é".encode() + b"\x1b")
    os.close(writes)
    found = list(names(characters(reads)))
    os.close(reads)
    assert found == ["up"] * 30 + ["é", "escape"]


def test_too_many_simulations_are_refused(tmp_path: Path) -> None:
    """Before anything is loaded."""
    with pytest.raises(ConfigError, match=r"^--simulations is 20000; at most 10,000 are possible here$"):
        Table(PlayConfig(data_dir=tmp_path, simulations=20_000))
