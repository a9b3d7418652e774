"""tools/against_openspiel.py: its settings are used as given, and its games are saved."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from small_models import write_model

from tools import against_openspiel


def run(monkeypatch: pytest.MonkeyPatch, *flags: object) -> None:
    """A match of tic-tac-toe with two games and two rollouts."""
    small = ("--env-id", "tictactoe", "--games", 2, "--rollouts", 2)
    monkeypatch.setattr(sys, "argv", ["against_openspiel.py", *map(str, (*small, *flags))])
    against_openspiel.main()


@pytest.mark.parametrize(("flags", "simulations"), [(("--simulations", 0), 0), ((), 100)])
def test_the_json_has_the_model_and_its_simulations(
    flags: tuple[object, ...], simulations: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """0 is the raw policy, not the default. The folder of the file is made."""
    model, target = write_model(tmp_path / "some.onnx", "tictactoe", seed=1, step=7), tmp_path / "new" / "match.json"
    run(monkeypatch, "--model", model, *flags, "--json", target)
    found = json.loads(target.read_text())
    assert (found["model"], found["step"], found["games_played"]) == (str(model), 7, 2)
    assert (found["simulations"], found["opponent_simulations"]) == (simulations, 2)
    assert found["player"] == f"ONNX(some.onnx){' with 100 simulations' if simulations else ''}"


def test_the_games_are_written_before_anything_is_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reader of a pipe may be gone. Without a model, our player has as many rollouts as OpenSpiel's."""

    def gone(*_: object, file: object = None) -> None:
        if file is None:  # Numba's compiler prints into files
            raise BrokenPipeError

    monkeypatch.setattr("builtins.print", gone)
    with pytest.raises(BrokenPipeError):
        run(monkeypatch, "--json", tmp_path / "match.json")
    found = json.loads((tmp_path / "match.json").read_text())
    assert (found["model"], found["step"], found["simulations"], len(found["games"])) == (None, None, 2, 2)


def test_what_can_not_be_written_or_played_is_refused_before_the_match(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one line."""
    monkeypatch.setattr(against_openspiel, "play", lambda *_: pytest.fail("the match has begun"))
    for flags, words in (
        (("--json", tmp_path), f"error: --json {tmp_path} is a folder"),
        (("--model", tmp_path / "none.onnx"), "error: "),
        (("--simulations", 0), "error: rollouts needs at least 1 simulation"),
    ):
        with pytest.raises(SystemExit) as error:
            run(monkeypatch, *flags)
        assert str(error.value.code).startswith(words)
        assert "\n" not in str(error.value.code)
