"""The evaluator's command: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_models import write_model

from trainer.core.command import run_command
from trainer.evaluator import EvaluatorConfig, evaluate, evaluate_step, report, report_with_intervals
from trainer.games import game_of
from trainer.measure.match import Match

CONTRACT_BLOCK = """\
==================================================
Evaluation Results: ONNX(latest.onnx) vs Random
==================================================
Games played: 100

ONNX(latest.onnx):
  Wins: 72 (72.0%)
    As X (first): 45
    As O (second): 27

Random:
  Wins: 12 (12.0%)
    As X (first): 8
    As O (second): 4

Draws: 16 (16.0%)
Average game length: 6.8 moves
==================================================

✓ Model is significantly better than random play!"""


def contract_match() -> Match:
    """45 wins, 4 losses and a draw as X; 27 wins, 8 losses and 15 draws as O; 680 moves."""
    seats = [1] * 50 + [2] * 50
    winners = [1] * 45 + [2] * 4 + [3] + [2] * 27 + [1] * 8 + [3] * 15
    moves = [[0] * 7] * 80 + [[0] * 6] * 20
    return Match(game_of("tictactoe"), "ONNX(latest.onnx)", "Random", np.array(seats), np.array(winners), moves, 0)


def run(*arguments: str) -> int:
    """The command with these flags."""
    return run_command(EvaluatorConfig, evaluate, "python -m trainer.evaluator", arguments)


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model of tic-tac-toe."""
    return str(write_model(tmp_path / "latest.onnx", "tictactoe", seed=1, step=300))


def test_the_block_against_random_is_the_contract_s_to_the_letter() -> None:
    """As other programs read it."""
    assert report(contract_match()) == CONTRACT_BLOCK


def test_the_default_command_prints_that_block(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing above it, nothing below it, no interval in it."""
    assert run("--model", model, "--db", "nowhere.db") == 0
    lines = capsys.readouterr().out.splitlines()
    shape = [line.split(":")[0] if ":" in line and "Eval" not in line else line for line in lines[:-1]]
    expected = [
        line.split(":")[0] if ":" in line and "Eval" not in line else line for line in CONTRACT_BLOCK.splitlines()
    ]
    assert shape == expected[:-1]
    assert "random play" in lines[-1]
    assert "interval" not in "\n".join(lines)


def test_against_others_every_rate_has_its_interval() -> None:
    """72 of 100 is 62.5 to 79.9%; the score of 80% is 241 Elo points."""
    text = report_with_intervals(contract_match())
    assert "  Wins: 72 (72.0%, 95% interval 62.5 to 79.9%)" in text
    assert "Draws: 16 (16.0%, 95% interval 10.1 to 24.4%)" in text
    assert "Score: 80.0% (95% interval 71.1 to 86.7%; a draw is half a point), an Elo difference of +241" in text
    assert "random play" not in text


def test_games_against_a_model_start_from_different_openings(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The output says how many games really were different."""
    assert run("--model", model, "--opponent", model, "--games", "40") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "20 different openings of 2 moves (seed 0), each played from both seats; 40 of the 40 games are different."
    )
    assert run("--model", model, "--opponent", model, "--games", "40", "--opening-plies", "0") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "All games started from the first position; 2 of the 40 games are different."


@pytest.mark.parametrize("opponent", ["random", "search", "perfect"])
def test_json_keeps_the_match(opponent: str, model: str, tmp_path: Path) -> None:
    """Rates, intervals, seed, openings, games, and which model it was."""
    target = tmp_path / "sub" / "match.json"
    flags = ("--simulations", "5", "--opponent-simulations", "7", "--games", "10", "--seed", "3")
    assert run("--model", model, "--opponent", opponent, *flags, "--json", str(target)) == 0
    found = json.loads(target.read_text())
    assert (found["step"], found["seed"], found["games_played"], found["simulations"]) == (300, 3, 10, 5)
    assert found["opponent_simulations"] == (7 if opponent == "search" else None)
    assert len(found["openings"]) == (0 if opponent == "random" else 5)
    assert sum(found[name]["count"] for name in ("wins", "draws", "losses")) == 10 == len(found["games"])


def test_verbose_shows_whose_move_it_was(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The moves of an opening are nobody's."""
    assert run("--model", model, "--opponent", "search", "--games", "2", "--verbose", "--opening-plies", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Game 1: ONNX(latest.onnx) plays X"
    assert lines[1].startswith("    1. X (opening): ")
    assert lines[2].startswith("    2. O (Uniform guess with 100 simulations): ")


def test_solve_counts_wrong_moves(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people, the counts in JSON; search errs less."""
    target = tmp_path / "solve.json"
    assert run("--model", model, "--solve", "--solve-simulations", "0", "50", "--json", str(target)) == 0
    text, found = capsys.readouterr().out, json.loads(target.read_text())
    assert "all (4,520)" in text
    assert text.count("Every line of play, ") == 2
    assert [lines["player"] for lines in found["every_line"]] == ["raw policy", "50 simulations"]
    assert sum(found["every_line"][0]["as_second"].values()) > 100
    raw, searched = found["results"]
    assert (raw["player"], searched["player"], raw["positions"]) == ("raw policy", "50 simulations", 4520)
    assert searched["weak_errors"] < raw["weak_errors"]


def test_solve_shows_the_minimax_beside_a_model_of_connect4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The yardstick, on six kinds."""
    model = str(write_model(tmp_path / "latest.onnx", "connect4", seed=1))
    assert run("--model", model, "--env-id", "connect4", "--solve", "--solve-simulations", "0") == 0
    text = capsys.readouterr().out
    assert text.count("Minimax(5 plies)") == 7
    assert "begin-hard (1,000)" in text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ("--opponent", "nobody"),
            "there is no player 'nobody'; give random, search, perfect, minimax, or the path of",
        ),
        (("--opponent", "minimax"), "minimax has no heuristic for tictactoe"),
        (("--games", "0"), "--games is 0; at least 1 is needed"),
        (("--temperature", "inf"), "--temperature is inf; give a number, 0 or more"),
        (("--opening-plies", "-1"), "--opening-plies is -1; 0 or more is needed"),
        (("--simulations", "-1"), "--simulations is -1"),
        (("--opponent", "search", "--opponent-simulations", "0"), "--opponent-simulations is 0; 1 or more"),
        (("--opening-plies", "9"), "tictactoe has no openings of 9 moves"),
        (("--solve", "--solve-simulations", "-5"), "--solve-simulations is -5; give one or more numbers"),
        (("--solve", "--simulations", "77"), "--simulations is of matches; leave it out, or --solve"),
        (("--solve", "--opponent", "perfect"), "--opponent is of matches"),
        (("--positions", "set.csv"), "--positions is for --solve; give both, or leave it out"),
        (("--solve", "--positions", "set.csv"), "--positions is for connect4; leave it out for tictactoe"),
        (("--simulations", "1000000000000"), "there is not enough memory (Unable to allocate"),
        (("--seed", str(2**63)), "a number from 0 to 2^63 - 1 is needed"),
        (("--json", "."), "--json . is a folder"),
        (("--env-id", "othello"), "is a model for another game"),
        (("--env-id", "chess"), "neither rules here nor metadata"),
    ],
)
def test_bad_input_is_one_clear_line(
    flags: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and the fix in the message."""
    model = str(write_model(tmp_path / "latest.onnx", "tictactoe"))  # without metadata, as from elsewhere
    assert run("--model", model, "--db", "nowhere.db", *flags) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_odd_number_of_games_says_that_the_last_has_no_other_seat(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its opening is played once."""
    assert run("--model", model, "--opponent", model, "--games", "3") == 0
    assert "each played from both seats, but for the last game's; 3 of the 3 games" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [("--solve",), ("--opponent", "perfect")])
def test_othello_can_t_be_solved(flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which games can."""
    model = str(write_model(tmp_path / "latest.onnx", "othello"))
    assert run("--model", model, "--env-id", "othello", *flags) == 1
    assert "tictactoe, connect4" in capsys.readouterr().err


def test_without_the_solver_connect4_can_be_examined_but_not_played_perfectly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stored set needs no solver; the perfect player says how to install it."""
    monkeypatch.setitem(sys.modules, "bitbully", None)
    model = str(write_model(tmp_path / "latest.onnx", "connect4"))
    assert run("--model", model, "--env-id", "connect4", "--solve", "--solve-simulations", "0") == 0
    assert run("--model", model, "--env-id", "connect4", "--opponent", "perfect") == 1
    assert "pip install 'bitbully>=0.0.70'" in capsys.readouterr().err


def test_an_evaluation_of_the_loop_brings_move_quality(model: str) -> None:
    """An entry of `eval_history`, which can be written as JSON."""
    found = json.loads(json.dumps(evaluate_step(Path(model), "tictactoe", 20, 0, simulations=(0, 10))))
    assert (found["step"], found["opponent"], found["games_played"]) == (300, "random", 20)
    assert found["win_rate"] + found["draw_rate"] + found["loss_rate"] == pytest.approx(1)
    assert [entry["simulations"] for entry in found["move_quality"]] == [0, 10]
    assert found["move_quality"][0]["positions"] == 4520


def test_measuring_needs_no_torch() -> None:
    """A player needs only onnxruntime."""
    code = "import sys, trainer.evaluator, trainer.ladder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
