"""The lines of GTP: how commands are read, how they are answered, and what goes to standard output."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from small_models import write_model
from waiting import PATIENCE

import trainer
from trainer.api import load_model
from trainer.gtp.commands import Commands
from trainer.gtp.session import answer_all


def write(folder: Path, env_id: str) -> Path:
    """A model with random logits, without search."""
    return write_model(folder / "model.onnx", env_id, seed=1, step=40)


def answers(folder: Path, env_id: str, *lines: str) -> list[str]:
    """The answer to each of these lines."""
    output = io.StringIO()
    answer_all(lines, output, Commands(load_model(write(folder, env_id)), 0))
    *found, rest = output.getvalue().split("\n\n")
    assert rest == ""
    return found


def test_numbers_comments_and_empty_lines(tmp_path: Path) -> None:
    """An answer carries the number of its command. Comments, empty lines and control characters are none."""
    lines = ("12 name\r\n", "\n", "# comment\n", " \t \n", "\tname # x\n", "7protocol_version\n", "nam\x07e\n", "3\n")
    assert answers(tmp_path, "tictactoe", *lines) == [
        *("=12 Cartridge", "= Cartridge", "=7 2", "= Cartridge", "?3 unknown command")
    ]


def test_nothing_is_answered_after_quit(tmp_path: Path) -> None:
    """The session ends there, though the input goes on."""
    assert answers(tmp_path, "tictactoe", "1 quit", "2 name") == ["=1"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("fly", "? unknown command"),
        ("boardsize", "? boardsize not an integer"),
        ("boardsize nine", "? boardsize not an integer"),
        ("boardsize 19", "? unacceptable size"),
        ("boardsize " + 5000 * "9", "? boardsize not an integer"),
        ("rectangular_boardsize 5 9", "? unacceptable size"),
        ("komi x", "? komi not a float"),
        ("komi 6.5", "? this model plays with komi 7.5"),
        ("play black", "? invalid color or coordinate"),
        ("play red C3", "? invalid color or coordinate"),
        ("play black Z9", "? illegal move"),
        ("play white C3", "? it is the turn of black"),
        ("genmove", "? invalid color"),
        ("genmove green", "? invalid color or coordinate"),
        ("genmove white", "? it is the turn of black"),
        ("undo", "? cannot undo"),
        ("final_score", "? the game is not over"),
        ("known_command fly", "= false"),
        ("known_command genmove", "= true"),
        ("known_command", "= false"),
        ("boardsize 5", "="),
        ("rectangular_boardsize 5 5", "="),
        ("komi 7.5", "="),
        ("version", f"= {trainer.__version__} (go:size=5 step 40, 0 simulations)"),
    ],
)
def test_a_command_at_the_start_of_a_game(line: str, answer: str, tmp_path: Path) -> None:
    """Wrong ones are refused, in the words of the protocol where it has some."""
    assert answers(tmp_path, "go:size=5", line) == [answer]


def test_a_game_of_go(tmp_path: Path) -> None:
    """Played by both sides, taken back, shown and scored. An answer has no empty line inside."""
    lines = ("play B c3", "play w C3", "play white PASS", "undo", "showboard", "play white d4", "play b pass")
    found = answers(
        tmp_path, "go:size=5", *lines, "play w pass", "final_score", "genmove b", "play b a1", "clear_board", "undo"
    )
    board = "=\n 5 . . . . .\n 4 . . . . .\n 3 . . X . .\n 2 . . . . .\n 1 . . . . .\n   A B C D E"
    assert found == [
        *("=", "? illegal move", "=", "=", board, "=", "=", "=", "= W+7.5"),
        *("? the game is over", "? the game is over", "=", "? cannot undo"),
    ]


def test_the_model_moves_and_its_moves_count(tmp_path: Path) -> None:
    """`genmove` answers a legal move and plays it, for either colour."""
    found = answers(tmp_path, "hex:size=3", *["genmove b", "genmove w"] * 4)
    moves = [answer.removeprefix("= ") for answer in found if answer.startswith("=")]
    assert len(moves) >= 5
    assert len({*moves}) == len(moves)
    assert {*moves} <= {f"{column}{row}" for column in "abc" for row in (1, 2, 3)}


def test_a_draw_and_a_win_without_points(tmp_path: Path) -> None:
    """0, and the winner's colour alone."""
    cells = ["A1", "B2", "C3", "B1", "B3", "A3", "C1", "C2", "A2"]
    draw = [f"play {colour} {cell}" for colour, cell in zip("bwbwbwbwb", cells, strict=True)]
    assert answers(tmp_path, "tictactoe", *draw, "final_score")[-1] == "= 0"
    win = [f"play {colour} {cell}" for colour, cell in zip("bwbwb", ["A1", "B1", "A2", "B2", "A3"], strict=True)]
    assert answers(tmp_path, "tictactoe", *win, "final_score")[-1] == "= B+"


def test_a_forced_pass_need_not_be_sent(tmp_path: Path) -> None:
    """Some programs leave out the passes of Othello. After this line Black has no move, and White goes on."""
    moves = [
        f"play {'bw'[ply % 2]} {cell}" for ply, cell in enumerate(["c4", "c3", "e6", "b4", "a4", "a5", "c2", "a3"])
    ]
    assert answers(tmp_path, "othello", *moves, "play w d2", "play w e1") == ["="] * 9 + ["? it is the turn of black"]
    assert answers(tmp_path, "othello", *moves, "play b pass", "play w d2") == ["="] * 10
    assert answers(tmp_path, "othello", *moves, "genmove w")[-1].startswith("= ")
    assert answers(tmp_path, "othello", *moves, "genmove b")[-1] == "= pass"


@pytest.mark.parametrize("sent", ["play w d2", "genmove w"])
def test_undo_takes_back_a_pass_that_was_not_sent(sent: str, tmp_path: Path) -> None:
    """Black, who has only the pass, is to move again; but if the pass was sent, it is a move of its own."""
    moves = [
        f"play {'bw'[ply % 2]} {cell}" for ply, cell in enumerate(["c4", "c3", "e6", "b4", "a4", "a5", "c2", "a3"])
    ]
    assert answers(tmp_path, "othello", *moves, sent, "undo", "genmove b")[-1] == "= pass"
    assert answers(tmp_path, "othello", *moves, "play b pass", sent, "undo", "undo", "genmove b")[-1] == "= pass"
    found = answers(tmp_path, "othello", *moves, "play b pass", sent, "undo", "genmove b")
    assert found[-1] == "? it is the turn of white"


def test_the_command(tmp_path: Path) -> None:
    """Standard output has answers only, whatever comes in. The end of the input ends it like `quit`."""
    words = [sys.executable, "-m", "trainer.gtp", "--model", str(write(tmp_path, "tictactoe")), "--simulations", "5"]
    done = subprocess.run(words, input=b"1 genmove b\n\xff\xfe\n2 name", capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    first, *others = done.stdout.decode().split("\n\n")
    assert first.startswith("=1 ")
    assert others == ["? unknown command", "=2 Cartridge", ""]


def test_a_model_that_cannot_be_used_is_one_error(tmp_path: Path) -> None:
    """Before any command is read; standard output stays empty."""
    for words in (["--model", "nowhere.onnx"], ["--simulations", "-1"]):
        done = subprocess.run(
            [sys.executable, "-m", "trainer.gtp", *words],
            input="name\n",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
