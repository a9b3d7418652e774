"""The command that analyses many positions: the lines that it reads and writes, and its errors."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_models import write_model
from waiting import PATIENCE

import trainer
from trainer.analyse import answers
from trainer.analyse.lines import read_line, read_lines
from trainer.core.errors import GameError
from trainer.games import rules_of
from trainer.players.network import side_by_side

Analyse = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def analyse(tmp_path: Path, call_main: Callable[..., int]) -> Analyse:
    """Runs the command on some lines, with a model of random logits; returns what it writes for each."""

    def run(env_id: str, lines: list[str], simulations: int = 20) -> list[dict[str, Any]]:
        model, given, written = tmp_path / "model.onnx", tmp_path / "positions.txt", tmp_path / "found.jsonl"
        write_model(model, env_id, seed=1, step=40)
        given.write_text("".join(f"{line}\n" for line in lines))
        words = ("--model", model, "--positions", given, "--json", written, "--simulations", simulations)
        assert call_main("trainer.analyse.__main__", *words) == 0
        return [json.loads(line) for line in written.read_text().splitlines()]

    return run


# --- The lines that are read ---


@pytest.mark.parametrize(
    "text",
    [
        "a3 b2 c1",
        "0 4 8",
        "  A3\tb2 8 \r\n",
        "\ufeffa3 b2 c1",
        '{"moves": [0, 4, 8]}',
        ' {"moves": ["a3", 4, "8"], "id": 7}',
    ],
)
def test_a_line_names_moves_by_names_or_numbers(text: str) -> None:
    """In either case, mixed, and in an object that has more than moves."""
    line = read_line(text, "here", rules_of("tictactoe"))
    assert line.actions == [0, 4, 8]
    first = trainer.new_position("tictactoe")
    assert line.position.to_bytes() == first.play(0).play(4).play(8).to_bytes()


def test_an_empty_line_is_the_first_position() -> None:
    """So is an object without moves in its list; a file without lines names none."""
    found = read_lines(["\n", " \n", '{"moves": []}'], "here", rules_of("hex:size=3"))
    assert [line.actions for line in found] == [[], [], []]
    assert {line.position.to_bytes() for line in found} == {trainer.new_position("hex:size=3").to_bytes()}
    assert read_lines([], "here", rules_of("hex:size=3")) == []


def test_where_names_are_numbers_words_are_names() -> None:
    """Columns of Connect 4 are called 1 to 7. Their actions are 0 to 6, so a word that is no name isn't guessed at."""
    rules = rules_of("connect4")
    for text in ("4 4 3", '{"moves": ["4", "4", "3"]}', '{"moves": [3, 3, 2]}', '{"moves": ["4", 3, "3"]}'):
        assert read_line(text, "here", rules).actions == [3, 3, 2]
    for text in ("3 0", '{"moves": ["3", "0"]}'):
        message = r"^here: '0' is not a legal move after 3; legal are 1, 2, 3, 4, 5, 6, 7$"
        with pytest.raises(GameError, match=message):
            read_line(text, "here", rules)


NO_OBJECT = (
    ', which is not a JSON object with a list "moves" of names or numbers; write {"moves": [3, 3, 2]}, or the moves '
    "alone with spaces between them"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("b2 b2", ": 'b2' is not a legal move after b2; legal are a3, b3, c3, a2, c2, a1, b1, c1"),
        ("4 b3 9", ": '9' is not a legal move after 4 b3; legal are a3, c3, a2, c2, a1, b1, c1"),
        ("z9", ": 'z9' is not a legal move in the first position; legal are a3, b3, c3, a2, b2, c2, a1, b1, c1"),
        ('{"moves": [4, -1]}', ": -1 is not a legal move after 4; legal are 0, 1, 2, 3, 5, 6, 7, 8"),
        ("0 3 1 4 2 5", ": '5' is not a legal move after 0 3 1 4 2; legal are none, because the game is over"),
        ("4 " + 5000 * "9", f": '{56 * '9'}... is not a legal move after 4; legal are a3, b3, c3, a2, c2, a1, b1, c1"),
        ("4 ²", ": '²' is not a legal move after 4; legal are a3, b3, c3, a2, c2, a1, b1, c1"),
        ("{moves}", " is '{moves}'" + NO_OBJECT),
        ('{"moves": 3}', """ is '{"moves": 3}'""" + NO_OBJECT),
        ('{"moves": [4.0]}', """ is '{"moves": [4.0]}'""" + NO_OBJECT),
        ('{"moves": [true]}', """ is '{"moves": [true]}'""" + NO_OBJECT),
        ('{"move": [4]}', """ is '{"move": [4]}'""" + NO_OBJECT),
        ('{"moves": [4]} 5', """ is '{"moves": [4]} 5'""" + NO_OBJECT),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, message: str) -> None:
    """With its number, what was found, and what is needed; an illegal move also with the moves before it."""
    with pytest.raises(GameError) as raised:
        read_lines(["\n", f"{text}\n", "z9\n"], "openings.txt", rules_of("tictactoe"))
    assert str(raised.value) == f"openings.txt, line 2{message}"


# --- The lines that are written ---


def test_an_unfinished_position(analyse: Analyse) -> None:
    """Its best move, its principal variation and all legal moves have names; X on 0 and 1 wins on 2."""
    (found,) = analyse("tictactoe", ["a3 a2 b3 b2"], 50)
    assert list(found) == ["moves", "mover", "value", "raw_value", "simulations", "best", "line", "choices"]
    assert (found["moves"], found["mover"], found["simulations"]) == ([0, 3, 1, 4], 1, 50)
    assert (found["value"], found["raw_value"]) == (1, 0)
    assert found["best"] == {"action": 2, "name": "c3"}
    assert found["line"] == [found["best"]]
    assert [(choice["action"], choice["name"]) for choice in found["choices"]] == [
        *((2, "c3"), (5, "c2"), (6, "a1"), (7, "b1"), (8, "c1"))
    ]
    assert sum(choice["prior"] for choice in found["choices"]) == pytest.approx(1)
    winning = found["choices"][0]
    assert list(winning) == ["action", "name", "prior", "visits", "share", "value", "proven"]
    assert (winning["share"], winning["value"], winning["proven"]) == (1, 1, "win")


def test_each_move_of_the_line_has_its_name_where_it_is_played(analyse: Analyse) -> None:
    """In minichess, where a name depends on the position."""
    (found,) = analyse("minichess", [""], 60)
    assert len(found["line"]) > 1
    position = trainer.new_position("minichess")
    for move in found["line"]:
        assert position.name(move["action"]) == move["name"]
        position = position.play(move["action"])


def test_a_finished_position_has_a_winner_and_no_moves(analyse: Analyse) -> None:
    """1, 2 or 3 for a draw, also beside positions that aren't finished."""
    lines = ["0 3 1 4 2", "0 3 1 4 8 5", "", "0 1 2 4 3 5 7 6 8"]
    first, second, open_, draw = analyse("tictactoe", lines)
    assert first == {"moves": [0, 3, 1, 4, 2], "winner": 1}
    assert second == {"moves": [0, 3, 1, 4, 8, 5], "winner": 2}
    assert draw == {"moves": [0, 1, 2, 4, 3, 5, 7, 6, 8], "winner": 3}
    assert "winner" not in open_


def test_the_output_can_be_read_as_input_and_parts_change_nothing(
    analyse: Analyse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts of two, of which one is all finished positions."""
    won = "0 3 1 4 2"
    found = analyse("tictactoe", ["4 0", "", won, won, "8"])
    monkeypatch.setattr(answers, "MOST_SLOTS", 2)
    assert analyse("tictactoe", [json.dumps(one) for one in found]) == found


def test_it_says_what_the_model_would_play(analyse: Analyse, tmp_path: Path) -> None:
    """The same as `Model.best_move`, with and without a search."""
    lines = ["", "4", "4 4", "1 7 1", "1 7 2 7 5 7"]
    for simulations in (0, 30):
        found = analyse("connect4", lines, simulations)
        model = trainer.load_model(tmp_path / "model.onnx")
        positions = [read_line(line, "here", rules_of("connect4")).position for line in lines]
        assert [one["best"]["action"] for one in found] == [model.best_move(each, simulations) for each in positions]
        assert [one["line"][0] for one in found] == [one["best"] for one in found]


# --- The command ---


def test_the_command_reads_and_writes_the_standard_streams(tmp_path: Path) -> None:
    """By default; standard output has the lines only, whatever bytes come in."""
    model = write_model(tmp_path / "model.onnx", "tictactoe", seed=1, step=40)
    words = [sys.executable, "-m", "trainer.analyse", "--model", str(model), "--simulations", "5"]
    done = subprocess.run(words, input=b"b2\n\n", capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["moves"] for line in done.stdout.splitlines()] == [[4], []]
    done = subprocess.run([*words, "--positions", "-"], input=b"b2\n\xff\n", capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: standard input, line 2: '")
    assert done.stderr.count(b"\n") == 1


def test_a_model_of_the_package_can_be_named(
    call_main: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its game, as for other commands; without it one line says that it is missing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("b2 a3\n"))
    words = ("--model", "pretrained", "--positions", "-", "--json", "-", "--simulations", 50)
    assert call_main("trainer.analyse.__main__", "--env-id", "tictactoe", *words) == 0
    assert json.loads(capsys.readouterr().out)["mover"] == 1
    assert call_main("trainer.analyse.__main__", *words) == 1
    assert capsys.readouterr().err.startswith("error: pretrained is a model of many games")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--simulations", "-1"), "--simulations is -1; 0 or more is needed"),
        (("--model", "nowhere.onnx"), "there is no model at nowhere.onnx"),
        (("--positions", "nowhere.txt"), "nowhere.txt: No such file or directory"),
        (("--positions", "."), ".: Is a directory"),
        (("--json", "."), "--json . is a folder; give the name of a file"),
        ((), "positions.txt, line 2: 'b2' is not a legal move after b2; legal are "),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    call_main: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And nothing is written, not even about the positions before a wrong one."""
    monkeypatch.chdir(tmp_path)
    write_model(Path("model.onnx"), "tictactoe", seed=1, step=40)
    Path("positions.txt").write_text("b2\nb2 b2\n")
    given = {"--model": "model.onnx", "--positions": "positions.txt", "--json": "found.jsonl"}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    assert call_main("trainer.analyse.__main__", *(word for pair in given.items() for word in pair)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {message}")
    assert said.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "positions.txt"]


def test_large_searches_are_fewer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as memory is meant for, and one at least. The analyses are the same."""
    assert side_by_side("tictactoe", 1000, 10) == 256
    assert side_by_side("tictactoe", 3, 10) == 3
    assert 1 < side_by_side("othello", 256, 100_000) < 20
    model = trainer.load_model("pretrained", env_id="tictactoe")
    positions = [trainer.new_position("tictactoe").play(action) for action in range(3)]
    found = model.analyse_all(positions, 20)
    monkeypatch.setattr("trainer.players.network.MOST_BYTES", 1)
    assert side_by_side("tictactoe", 3, 20) == 1
    assert [one.line for one in model.analyse_all(positions, 20)] == [one.line for one in found]
