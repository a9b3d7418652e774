"""The evaluator: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from conftest import ForeignDatabase
from small_models import write_model

from trainer.core.command import run_command
from trainer.evaluator import EvaluatorConfig
from trainer.evaluators.loader import ModelLoader
from trainer.games import game_of
from trainer.games.base import FIRST
from trainer.games.solving.solvers import solver_of
from trainer.measure import evaluation
from trainer.measure.evaluation import evaluate
from trainer.measure.match import Match
from trainer.measure.progress import evaluate_step
from trainer.measure.report import report, report_with_intervals, verdict
from trainer.search import Search, SearchConfig

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
    """The match of CONTRACT_BLOCK: 45 wins, 4 losses and a draw as X; 27 wins, 8 losses and 15 draws as O; 680 moves."""
    seats = [1] * 50 + [2] * 50
    winners = [1] * 45 + [2] * 4 + [3] + [2] * 27 + [1] * 8 + [3] * 15
    moves = [[0] * 7] * 80 + [[0] * 6] * 20
    return Match(game_of("tictactoe"), "ONNX(latest.onnx)", "Random", np.array(seats), np.array(winners), moves, 0)


def run(*arguments: str) -> int:
    """Run the command with these flags."""
    return run_command(EvaluatorConfig, evaluate, "python -m trainer.evaluator", arguments)


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model of tic-tac-toe."""
    return str(write_model(tmp_path / "latest.onnx", "tictactoe", seed=1, step=300))


def test_the_block_against_random_play_is_exactly_the_contract_s() -> None:
    """Other programs read it."""
    assert report(contract_match()) == CONTRACT_BLOCK


@pytest.mark.parametrize(
    ("win_rate", "says"),
    [
        (0.71, "✓ Model is significantly better than random play!"),
        (0.7, "✓ Model is slightly better than random play"),
        (0.51, "✓ Model is slightly better than random play"),
        (0.5, "~ Model is roughly equivalent to random play"),
        (0.31, "~ Model is roughly equivalent to random play"),
        (0.3, "✗ Model is worse than random play"),
    ],
)
def test_the_verdicts_of_the_contract(win_rate: float, says: str) -> None:
    """A rate on a border gets the weaker one."""
    assert verdict(win_rate) == says


def test_the_default_command_prints_that_block(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The output is the block alone, without intervals."""
    assert run("--model", model, "--db", "nowhere.db") == 0
    lines = capsys.readouterr().out.splitlines()
    shape = [line.split(":")[0] if ":" in line and "Eval" not in line else line for line in lines[:-1]]
    expected = [
        line.split(":")[0] if ":" in line and "Eval" not in line else line for line in CONTRACT_BLOCK.splitlines()
    ]
    assert shape == expected[:-1]
    assert "random play" in lines[-1]
    assert "interval" not in "\n".join(lines)


def test_against_other_opponents_every_rate_has_an_interval() -> None:
    """72 of 100 is 62.5 to 79.9%. A score of 80% is 241 Elo points, and its interval is that of 72.4 to 85.9%."""
    text = report_with_intervals(contract_match())
    assert "  Wins: 72 (72.0%, 95% interval 62.5 to 79.9%)" in text
    assert "Draws: 16 (16.0%, 95% interval 10.1 to 24.4%)" in text
    score = (
        "Score: 80.0% (95% interval 72.4 to 85.9%; a draw is half a point), an Elo difference of +241 (+167 to +314)"
    )
    assert score in text.splitlines()
    assert "random play" not in text


def test_games_against_a_model_start_from_different_openings(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The output says how many games were different."""
    assert run("--model", model, "--opponent", model, "--games", "40") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "20 different openings of 2 moves (seed 0), each played from both seats; 40 of the 40 games are different."
    )
    assert run("--model", model, "--opponent", model, "--games", "40", "--opening-plies", "0") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "All games started from the first position; 2 of the 40 games are different."


@pytest.mark.parametrize("opponent", ["random", "search", "rollouts", "perfect"])
def test_the_json_file_has_the_match(opponent: str, model: str, tmp_path: Path) -> None:
    """It has rates, intervals, seed, openings, games, and the model's step."""
    target = tmp_path / "sub" / "match.json"
    searches = opponent in ("search", "rollouts")
    flags = ["--simulations", "5", "--games", "10", "--seed", "3", *(["--opponent-simulations", "7"] * searches)]
    assert run("--model", model, "--opponent", opponent, *flags, "--json", str(target)) == 0
    found = json.loads(target.read_text())
    assert (found["step"], found["seed"], found["games_played"], found["simulations"]) == (300, 3, 10, 5)
    assert found["opponent_simulations"] == (7 if searches else None)
    assert found["search"] == {"c_puct": 1.5, "fpu_reduction": 0.25, "policy_temperature": 2.0}
    assert len(found["openings"]) == (0 if opponent == "random" else 5)
    assert sum(found[name]["count"] for name in ("wins", "draws", "losses")) == 10 == len(found["games"])


@pytest.mark.parametrize("solve", [False, True], ids=["match", "solve"])
def test_the_constants_of_a_search_are_those_of_the_model_alone(
    solve: bool, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An opponent that is a model, too, keeps the defaults."""
    made: list[SearchConfig] = []

    def recorded(env_id: str, slots: int, most_simulations: int, config: SearchConfig) -> Search:
        made.append(config)
        return Search(env_id, slots, most_simulations, config)

    monkeypatch.setattr("trainer.players.network.Search", recorded)
    work = (
        ["--solve", "--solve-simulations", "4"]
        if solve
        else ["--opponent", model, "--simulations", "4", "--games", "4"]
    )
    constants = ["--c-puct", "2.5", "--fpu-reduction", "0", "--policy-temperature", "1"]
    target = tmp_path / "found.json"
    assert run("--model", model, *work, *constants, "--json", str(target)) == 0
    assert json.loads(target.read_text())["search"] == {"c_puct": 2.5, "fpu_reduction": 0.0, "policy_temperature": 1.0}
    others = [] if solve else [SearchConfig(policy_temperature=2)]
    assert made == [SearchConfig(c_puct=2.5, fpu_reduction=0, policy_temperature=1), *others]


def test_the_device_is_chosen_once_for_both_models(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with `auto` said once."""
    chosen: list[str] = []

    def noted(env_id: str, _: object) -> ModelLoader:
        chosen.append(env_id)
        return ModelLoader(env_id)

    monkeypatch.setattr(evaluation, "loader_for", noted)
    assert run("--model", model, "--opponent", model, "--games", "2") == 0
    assert chosen == ["tictactoe"]


def test_an_opponent_of_the_same_file_name_is_told_apart(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the report by its folder, in the JSON by its path."""
    other = tmp_path / "other" / "latest.onnx"
    write_model(other, "tictactoe", seed=1)
    target = tmp_path / "match.json"
    assert run("--model", model, "--opponent", str(other), "--games", "2", "--json", str(target)) == 0
    here = Path(model).parent.name
    assert f"ONNX({here}/latest.onnx) vs ONNX(other/latest.onnx)" in capsys.readouterr().out
    found = json.loads(target.read_text())
    assert (found["model"], found["opponent_model"]) == (model, str(other))


def test_the_name_says_which_settings_are_not_the_defaults(model: str, tmp_path: Path) -> None:
    """So that a file is told apart from itself with other constants. The block against random play keeps its form."""
    target = tmp_path / "match.json"
    settings = ("--simulations", "4", "--games", "2", "--temperature", "0.5", "--c-puct", "2.5", "--json", str(target))
    for opponent, player in (
        (model, "ONNX(latest.onnx) with 4 simulations, c_puct 2.5, temperature 0.5"),
        ("random", "ONNX(latest.onnx) with 4 simulations"),
    ):
        assert run("--model", model, "--opponent", opponent, *settings) == 0
        found = json.loads(target.read_text())
        assert found["player"] == player
    assert run("--model", model, "--opponent", model, "--games", "2", "--json", str(target)) == 0
    assert json.loads(target.read_text())["player"] == "ONNX(latest.onnx)"


def test_verbose_shows_who_made_each_move(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Opening moves belong to neither player."""
    assert run("--model", model, "--opponent", "search", "--games", "2", "--verbose", "--opening-plies", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Game 1: ONNX(latest.onnx) plays X"
    assert re.match("    1. X \\(opening\\): [abc][123]$", lines[1])
    assert lines[2].startswith("    2. O (Uniform guess with 100 simulations): ")


def test_a_high_temperature_varies_the_moves(model: str, tmp_path: Path) -> None:
    """At 0 every game begins with the model's best move; at 100 all nine moves are about equally likely."""
    target = tmp_path / "match.json"

    def first_moves(temperature: str) -> set[int]:
        assert run("--model", model, "--games", "80", "--temperature", temperature, "--json", str(target)) == 0
        games = json.loads(target.read_text())["games"]
        return {game["moves"][0] for game in games if game["seat"] == FIRST}

    assert len(first_moves("0")) == 1
    assert len(first_moves("100")) > 5


def test_solve_counts_wrong_moves(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The output has a table, and the JSON file has the counts. Search errs less than the raw policy."""
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


def test_solve_compares_a_connect4_model_with_minimax(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has minimax as a baseline in six kinds of positions."""
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
            "there is no player 'nobody'; give random, search, rollouts, perfect, minimax, pretrained, gtp: or",
        ),
        (("--opponent", "minimax"), "minimax has no heuristic for tictactoe"),
        (("--opponent", "minimax:8"), "minimax has no heuristic for tictactoe"),
        (("--opponent", "minimax:0"), "the player 'minimax:0' should look 1 to 30 plies ahead, as in minimax:8"),
        (("--opponent", "minimax:x"), "the player 'minimax:x' should look 1 to 30 plies ahead, as in minimax:8"),
        (("--games", "0"), "--games is 0; at least 1 is needed"),
        (
            ("--simulations", "5", "--policy-temperature", "0"),
            "--policy-temperature is 0.0; a number above 0 is needed",
        ),
        (("--c-puct", "2"), "--c-puct is for searches, and the model makes none; give --simulations, such as"),
        (
            ("--solve", "--solve-simulations", "0", "--c-puct", "2"),
            "--c-puct is for searches, and the model makes none; give --solve-simulations, such as",
        ),
        (("--engine-seconds", "0"), "--engine-seconds is 0.0; a number above 0 is needed"),
        (("--engine-seconds", "3"), "--engine-seconds is 3, but the opponent random isn't another program; leave out"),
        (("--simulations", 20 * "9"), f"--simulations is {20 * '9'}; at most 1,000,000,000,000 is possible"),
        (
            ("--json", "./m.onnx", "--model", "m.onnx"),
            "--json is m.onnx, which is also read, or written by another flag;",
        ),
        (
            ("--json", "b.onnx", "--opponent", "b.onnx"),
            "--json is b.onnx, which is also read, or written by another flag;",
        ),
        (("--opponent", "uci: x", "--opponent-simulations", "0"), "--opponent-simulations is 0; at least 1 is needed"),
        (
            ("--opponent", "minimax", "--opponent-simulations", "500"),
            "--opponent-simulations is 500, but the opponent minimax makes no simulations of ours; leave out",
        ),
        (
            ("--opponent", "gtp: gnugo", "--opponent-simulations", "500"),
            "--opponent-simulations is 500, but the opponent gtp makes no simulations of ours; leave out",
        ),
        (("--temperature", "inf"), "--temperature is inf; at most 1,000,000,000,000 is possible"),
        (("--opening-plies", "-1"), "--opening-plies is -1; 0 or more is needed"),
        (("--simulations", "-1"), "--simulations is -1"),
        (("--opponent", "search", "--opponent-simulations", "0"), "--opponent-simulations is 0; at least 1 is needed"),
        (
            ("--opponent", "rollouts", "--opponent-simulations", "0"),
            "--opponent-simulations is 0; at least 1 is needed",
        ),
        (("--opening-plies", "9"), "tictactoe has no openings of 9 moves"),
        (("--solve", "--solve-simulations", "-5"), "--solve-simulations is -5; give one or more numbers"),
        (
            ("--solve", "--simulations", "77"),
            "--simulations is for matches, and --solve plays none; leave out one of them",
        ),
        (("--solve", "--opponent", "perfect"), "--opponent is for matches"),
        (("--positions", "set.csv"), "--positions is for --solve; give both, or leave out --positions"),
        (("--solve", "--positions", "set.csv"), "tictactoe is measured on positions that are solved on the spot, not"),
        (("--simulations", "1000000000000"), "not enough memory (Unable to allocate"),
        (("--seed", str(2**63)), "a number from 0 to 2^63 - 1 is needed"),
        (("--json", "."), "--json . is a folder"),
        (("--env-id", "othello"), "is a model for another game"),
        (("--env-id", "chess"), "neither rules here nor metadata"),
    ],
)
def test_bad_input_is_one_line(
    flags: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 1, and the message says what to do."""
    model = str(write_model(tmp_path / "latest.onnx", "tictactoe"))  # without metadata, as from elsewhere
    assert run("--model", model, "--db", "nowhere.db", *flags) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_odd_number_of_games_reports_that_the_last_opening_is_played_once(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last game has no partner from the other seat."""
    assert run("--model", model, "--opponent", model, "--games", "3") == 0
    assert "each played from both seats, except the last game's; 3 of the 3 games" in capsys.readouterr().out


def test_othello_has_test_positions_but_no_perfect_player(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong moves are counted after random play and after better play. The error names the games that have the player."""
    model = str(write_model(tmp_path / "latest.onnx", "othello"))
    assert run("--model", model, "--env-id", "othello", "--solve", "--solve-simulations", "0") == 0
    text = capsys.readouterr().out
    assert "random (500)" in text
    assert "rollouts (500)" in text
    assert run("--model", model, "--env-id", "othello", "--opponent", "perfect") == 1
    assert (
        "no solver for whole games; games that have one: connect4, dots, and all small ones" in capsys.readouterr().err
    )


def test_without_bitbully_wrong_moves_of_connect4_are_counted_but_perfect_play_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stored positions need no solver. The perfect player does, and says how to install it."""
    monkeypatch.setitem(sys.modules, "bitbully", None)
    solver_of.cache_clear()
    model = str(write_model(tmp_path / "latest.onnx", "connect4"))
    assert run("--model", model, "--env-id", "connect4", "--solve", "--solve-simulations", "0") == 0
    assert run("--model", model, "--env-id", "connect4", "--opponent", "perfect") == 1
    assert "pip install 'bitbully>=0.0.70'" in capsys.readouterr().err


def test_an_evaluation_during_a_run_has_move_quality(model: str) -> None:
    """It is an entry of `eval_history`, which can be written as JSON."""
    found = json.loads(json.dumps(evaluate_step(Path(model), ModelLoader("tictactoe"), 20, 0)))
    assert (found["step"], found["opponent"], found["games_played"]) == (300, "random", 20)
    assert found["win_rate"] + found["draw_rate"] + found["loss_rate"] == pytest.approx(1)
    (quality,) = found["move_quality"]
    assert (quality["simulations"], quality["positions"]) == (0, 4520)


def test_a_game_of_which_only_the_dimensions_are_known_is_not_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They come from the database; the error says from which."""
    model, db = str(write_model(tmp_path / "latest.onnx", "tictactoe")), tmp_path / "replay.db"
    with closing(ForeignDatabase(db, "chess")) as database:
        database.metadata(width=3, height=3, actions=9, obs_size=29, offset=18)
    assert run("--model", model, "--db", str(db), "--env-id", "chess") == 1
    said = capsys.readouterr().err
    assert f"error: chess can't be played, because only its dimensions are known, from {db}; the games whose" in said
    assert said.count("\n") == 1
