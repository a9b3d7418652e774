"""The ladder: its ratings, its files, its errors."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from predictable import FirstLegal
from small_models import write_model

from trainer.core.command import run_command
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.games import game_of
from trainer.games.base import DRAW, FIRST, SECOND
from trainer.ladder import LadderConfig
from trainer.measure import ladder
from trainer.measure.elo import UNIT
from trainer.measure.intervals import Z95
from trainer.measure.ladder import evenly_spaced, ladder_players, rate_models
from trainer.measure.match import Match
from trainer.run.model_files import stored_models


def run(*arguments: str) -> int:
    """Run the command with these flags."""
    return run_command(LadderConfig, rate_models, "python -m trainer.ladder", arguments)


@pytest.fixture
def run_folder(tmp_path: Path) -> str:
    """Five models of tic-tac-toe, and two other files."""
    for number, step in enumerate((0, 100, 200, 1000, 2_000_000)):
        write_model(tmp_path / "models" / f"model_step_{step:06d}.onnx", "tictactoe", seed=number, step=step)
    (tmp_path / "models" / "latest.onnx").write_bytes(b"")
    (tmp_path / "models" / "model_step_best.onnx").write_bytes(b"")
    return str(tmp_path / "models")


def test_models_and_others_are_rated(run_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each player has a row, in the order of the steps. The perfect player is the strongest. The JSON has every game."""
    target = tmp_path / "ladder.json"
    flags = ("--model-dir", run_folder, "--rungs", "3", "--games", "20", "--against", "perfect", "--json", str(target))
    assert run(*flags) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("120 of the 120 games are different.")
    found = json.loads(target.read_text())
    names = [rung["name"] for rung in found["ladder"]]
    assert names == ["step 0", "step 200", "step 2,000,000", "Perfect"]
    steps = (0, 200, 2_000_000)
    assert [rung["model"] for rung in found["ladder"]] == [
        *(f"{run_folder}/model_step_{step:06d}.onnx" for step in steps),
        None,
    ]
    elo = [rung["elo"] for rung in found["ladder"]]
    assert max(elo) == elo[3]
    assert sum(elo) == pytest.approx(0, abs=1e-6)
    assert [rung["games"] for rung in found["ladder"]] == [60] * 4
    assert sum(rung["score"] for rung in found["ladder"]) == pytest.approx(2)
    assert len(found["matches"]) == 6
    assert all(match["different_games"] == 20 for match in found["matches"])


@pytest.mark.parametrize(
    ("games", "words"),
    [
        (2, "1 opening of 0 moves (seed 0), each played from both seats; "),
        (3, "2 openings of 1 move (seed 0), each played from both seats, except the last game's; "),
        (1, "1 opening of 0 moves (seed 0); "),
    ],
)
def test_what_is_said_of_the_seats(games: int, words: str, run_folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of an odd number of games between each pair, the last has no partner from the other seat."""
    assert run("--model-dir", run_folder, "--rungs", "2", "--games", str(games)) == 0
    assert f"{games} game{'s' if games > 1 else ''} between each pair, from {words}" in capsys.readouterr().out


def test_each_player_begins_as_often_as_the_others(run_folder: str, tmp_path: Path) -> None:
    """Of an odd number of games, the first player of a match has one more first move. Each is that in one of two matches."""
    target = tmp_path / "ladder.json"
    assert run("--model-dir", run_folder, "--rungs", "3", "--games", "3", "--json", str(target)) == 0
    matches = json.loads(target.read_text())["matches"]
    assert [(match["player"], match["opponent"]) for match in matches] == [
        ("step 200", "step 0"),
        ("step 0", "step 2,000,000"),
        ("step 2,000,000", "step 200"),
    ]


def test_models_of_the_same_file_name_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the table by the folder in which they differ, in the JSON by their paths."""
    paths = [tmp_path / name / "models" / "latest.onnx" for name in ("one", "two")]
    for seed, path in enumerate(paths):
        write_model(path, "tictactoe", seed=seed)
    target = tmp_path / "ladder.json"
    flags = ("--model-dir", str(tmp_path), "--games", "2", "--json", str(target))
    assert run(*flags, "--against", "random", *map(str, paths)) == 0
    shown = capsys.readouterr().out
    assert "ONNX(one/models/latest.onnx)" in shown
    assert "ONNX(two/models/latest.onnx)" in shown
    assert [rung["model"] for rung in json.loads(target.read_text())["ladder"]] == [None, *map(str, paths)]


def test_a_ladder_of_other_players_is_of_their_game(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If the folder has no models, those of --against name it; if there are none, it must be given."""
    path = write_model(tmp_path / "some.onnx", "connect4", step=1)
    nothing = ("--model-dir", str(tmp_path / "nothing"), "--games", "2")
    assert run(*nothing, "--against", "random", str(path)) == 0
    assert "Elo in connect4" in capsys.readouterr().out
    assert run(*nothing, "--against", "random", "rollouts") == 1
    assert "nothing holds no model_step_*.onnx, so the game of the ladder isn't known" in capsys.readouterr().err
    assert run(*nothing, "--against", "random", "search", "--env-id", "tictactoe") == 0


def test_models_are_evenly_spaced_and_include_both_ends() -> None:
    """Four of 0 to 9 are 0, 3, 6 and 9. A single one is the newest."""
    paths = [Path(str(number)) for number in range(10)]
    assert [int(path.name) for path in evenly_spaced(paths, 4)] == [0, 3, 6, 9]
    assert evenly_spaced(paths, 1) == paths[-1:]
    assert evenly_spaced(paths, 20) == paths


def test_models_that_a_run_deletes_meanwhile_do_no_harm(run_folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are gone when they are to be read are left out; those that go later were read before."""
    listed, load = stored_models(Path(run_folder)), ModelLoader.made_of
    listed[1].unlink()

    def delete_and_load(loader: ModelLoader, content: bytes, source: str) -> Evaluator:
        for path in listed:
            path.unlink(missing_ok=True)
        return load(loader, content, source)

    monkeypatch.setattr(ladder, "stored_models", lambda _: listed)
    monkeypatch.setattr(ModelLoader, "made_of", delete_and_load)
    entrants = ladder_players("tictactoe", LadderConfig(model_dir=Path(run_folder)))
    assert [entrant.step for entrant in entrants] == [0, 200, 1000, 2_000_000]


def test_fewer_than_two_players_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what was found and where."""
    assert run("--model-dir", str(tmp_path)) == 1
    assert f"a ladder needs two players and there are 0: {tmp_path} holds 0" in capsys.readouterr().err


def test_a_plot_without_matplotlib_is_refused_before_any_game(
    run_folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is one line with the command that installs it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run("--model-dir", run_folder, "--plot", "ladder.png") == 1
    assert capsys.readouterr().err == (
        "error: a plot needs matplotlib, which is not installed; install it with: pip install 'matplotlib>=3.8'\n"
    )


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is an extra")
def test_the_plot_is_a_png(run_folder: str, tmp_path: Path) -> None:
    """It shows the ratings over the steps, and a line for each other player."""
    target = tmp_path / "ladder.png"
    assert run("--model-dir", run_folder, "--games", "4", "--against", "random", "--plot", str(target)) == 0
    assert target.read_bytes().startswith(b"\x89PNG")


def test_runs_are_compared_by_what_they_all_meet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Models meet the further players alone; the rating of one of these is 0, and certain; runs have names."""
    folders = [tmp_path / name / "models" for name in ("s0", "s1")]
    for seed, folder in enumerate(folders):
        for step in (0, 100):
            write_model(folder / f"model_step_{step:06d}.onnx", "tictactoe", seed=seed + step, step=step)
    target, picture = tmp_path / "ladder.json", tmp_path / "ladder.png"
    flags = ["--model-dir", *map(str, folders), "--games", "10", "--against", "random", "perfect", "--pairs", "against"]
    assert run(*flags, "--zero", "perfect", "--json", str(target), "--plot", str(picture)) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("0 = Perfect. 10 games between each pair with a player of --against, from ")
    found = json.loads(target.read_text())
    assert [rung["name"] for rung in found["ladder"]] == [
        *("s0 step 0", "s0 step 100", "s1 step 0", "s1 step 100", "Random", "Perfect")
    ]
    assert [rung["run"] for rung in found["ladder"]] == [*[str(folders[0])] * 2, *[str(folders[1])] * 2, None, None]
    assert [rung["games"] for rung in found["ladder"]] == [20, 20, 20, 20, 50, 50]
    assert (found["zero"], found["model_dir"]) == ("perfect", list(map(str, folders)))
    zero = found["ladder"][-1]
    assert (zero["elo"], zero["elo_margin"]) == (0, 0)
    assert all(rung["elo"] < 0 < rung["elo_margin"] for rung in found["ladder"][:-1])
    lines = ladder.curves([ladder.Rung(**rung) for rung in found["ladder"]])
    assert [(line.name, list(line.x)) for line in lines] == [
        ("s0", [0, 100]),
        ("s1", [0, 100]),
        ("Random", [0, 100]),
        ("Perfect", [0, 100]),
    ]
    assert picture.exists()


def test_a_run_without_models_is_no_run(run_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be a slip of the pen; the others would be compared without it."""
    wrong = str(tmp_path / "modles")
    assert run("--model-dir", run_folder, wrong, "--against", "random") == 1
    said = capsys.readouterr().err
    assert said == f"error: {wrong} holds no model_step_*.onnx; name folders of models with --model-dir\n"


def test_runs_are_named_apart() -> None:
    """By what is above their models, as far as it takes; a run that is named twice is one."""
    folders = [Path("/r/s0/models"), Path("/r/s1/models"), Path("/other/s0"), Path("/r/s2/models")]
    assert ladder.shown_runs(folders) == ["r/s0", "s1", "other/s0", "s2"]
    assert ladder.shown_runs(folders[:1]) == [""]
    here = Path.cwd()
    assert LadderConfig(model_dir=(Path("a"), Path("b"), here / "a")).model_dirs == (Path("a"), Path("b"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--zero", "random"], "--zero is random; give one of the players of --against"),
        (
            ["--plot", "one", "--json", "one"],
            "--plot is one, which is also read, or written by another flag; give another file",
        ),
        (["--pairs", "against"], "--pairs is against, and no player is given with --against"),
    ],
)
def test_a_ladder_that_cannot_be_is_refused(
    flags: list[str], message: str, run_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is played."""
    assert run("--model-dir", run_folder, *flags) == 1
    assert capsys.readouterr().err == f"error: {message}\n"


def test_draws_and_openings_that_decide_their_games_make_the_intervals_narrower() -> None:
    """Both players score half of 40 games, from 20 openings in both seats. With the virtual draw the variance of the
    difference is 4 / 41 times the design effect: 20.5 / 10.5 if all openings are won twice or lost twice, 10.5 / 10.5 if
    half are, and 0.5 / 10.5 if all are won once, or drawn."""
    seats, openings = np.array([FIRST, SECOND] * 20), [[number] for number in range(20)]
    once, won, lost = [FIRST, FIRST], [FIRST, SECOND], [SECOND, FIRST]
    results = {20: (won + lost) * 10, 10: (won + lost + once + once) * 5, 0: once * 20}
    entrants = [ladder.Entrant(FirstLegal()), ladder.Entrant(FirstLegal())]
    for twice, winners in [*results.items(), (0, [DRAW] * 40)]:
        match = Match(game_of("tictactoe"), "A", "B", seats, np.array(winners), [[0]] * 40, 0, openings)
        first, zero = ladder.rate(entrants, {(0, 1): match}, zero=1)
        assert (first.elo, zero.elo_margin) == (pytest.approx(0, abs=1e-9), 0)
        assert first.elo_margin == pytest.approx(UNIT * Z95 * math.sqrt(4 / 41 * (twice + 0.5) / 10.5))
