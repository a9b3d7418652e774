"""tools/strength_run.py and tools/ablations.py: what can't work is refused before the training."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import endless
import pytest

from tools import strength_run
from trainer.run.folder import RunFolder

ROOT = Path(__file__).parents[2]


class TrainingBeganError(Exception):
    """Raised in place of a training."""


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """The programs change what SIGTERM does. It is undone, because the process is that of the tests."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def began(*_: object) -> None:
    """What is called in place of a training."""
    raise TrainingBeganError


def run(monkeypatch: pytest.MonkeyPatch, env_id: str, out: Path) -> None:
    """Run tools/strength_run.py with --solve, up to the training."""
    monkeypatch.setattr(strength_run, "train", began)
    flags = ["--env-id", env_id, "--minutes", "60", "--solve", "--out", str(out), "--data-dir", str(out / "data")]
    monkeypatch.setattr(sys, "argv", ["strength_run.py", *flags])
    strength_run.main()


def test_a_game_that_can_not_be_solved_is_refused_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not hours later. The message is one line."""
    with pytest.raises(SystemExit) as error:
        run(monkeypatch, str(endless.__file__), tmp_path / "out")
    message = str(error.value.code)
    assert message.startswith("error: wrong moves can't be counted in ")
    assert message.endswith("because a position can come back in the same game")
    assert "\n" not in message
    assert not (tmp_path / "out").exists()


def test_a_game_that_can_be_solved_is_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All positions of tic-tac-toe can be visited."""
    with pytest.raises(TrainingBeganError):
        run(monkeypatch, "tictactoe", tmp_path / "out")


def test_a_curve_that_can_not_be_drawn_is_refused_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message is one line."""
    monkeypatch.setattr("trainer.core.packages.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as error:
        run(monkeypatch, "tictactoe", tmp_path / "out")
    assert str(error.value.code).startswith("error: a plot needs matplotlib, which is not installed; ")
    assert "\n" not in str(error.value.code)


def test_a_moment_before_the_first_model_has_no_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The run goes on."""
    loop = tmp_path / "loop"
    loop.write_text("#!/bin/sh\nexec sleep 2\n")
    loop.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(loop))
    run = RunFolder(tmp_path / "run")
    assert strength_run.train("tictactoe", 1.0, [0.001], 0, run) == {1.0: run.latest_model}


@pytest.fixture
def ablations(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/ablations.py, which imports another file of its folder by its name."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("ablations")


def compare(monkeypatch: pytest.MonkeyPatch, ablations: ModuleType, folder: Path, *words: str) -> None:
    """Run tools/ablations.py for tic-tac-toe; the runs go into `folder`."""
    flags = ["--env-id", "tictactoe", "--data-dir", str(folder / "runs"), "--out", str(folder / "new" / "table.md")]
    monkeypatch.setattr(sys, "argv", ["ablations.py", *flags, *words])
    ablations.main()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gumbel=false", "lr=-1"], "error: --lr is -1.0; a number above 0 is needed"),
        (["gumbel=false", "--env-id", "ches"], "error: no rules for a game named 'ches'; "),
        (["gumbel=false", "--minutes", "-5"], "error: --minutes is -5.0; a number above 0 is needed"),
        (["gumbel=false", "--out", "{0}"], "error: --out {0} is a folder; give the name of a file"),
        (["gumbel=false", "--out", "{0}/file/table.md"], "error: can't write to the folder {0}/file "),
        (["gumbel=false", "average=0"], "{0}/runs/2-seed0 holds an earlier run; delete it, or give another folder"),
        (["gumbel"], "'gumbel' isn't a change of a setting; give its name and value, as in gumbel=false"),
    ],
)
def test_a_mistake_in_a_comparison_is_found_before_the_first_run(
    monkeypatch: pytest.MonkeyPatch, ablations: ModuleType, tmp_path: Path, words: list[str], message: str
) -> None:
    """Also one in the last change. The message is one line."""
    monkeypatch.setattr(ablations, "train", began)
    (tmp_path / "file").touch()
    (tmp_path / "runs" / "2-seed0").mkdir(parents=True)
    with pytest.raises(SystemExit) as error:
        compare(monkeypatch, ablations, tmp_path, *(word.format(tmp_path) for word in words))
    assert str(error.value.code).startswith(message.format(tmp_path))
    assert "\n" not in str(error.value.code)


def test_a_comparison_has_a_run_of_each_change_with_each_seed(
    monkeypatch: pytest.MonkeyPatch, ablations: ModuleType, tmp_path: Path
) -> None:
    """The table has the mean, the lowest and the highest; of one run its value. The folder of the table is made."""
    trained = []

    def train(flags: Sequence[str], run: RunFolder) -> None:
        trained.append((run.path.name, flags[-1]))
        run.path.mkdir(parents=True)
        run.stats.write_text(json.dumps({"step": 1000 * len(trained)}))
        run.actor_stats.write_text(json.dumps({"total_steps": 50}))

    monkeypatch.setattr(ablations, "train", train)
    monkeypatch.setattr(
        ablations, "measure", lambda env_id, run, base: {"score": float("nan") if run == base else 1.25 * len(trained)}
    )
    compare(monkeypatch, ablations, tmp_path, "gumbel=false", "--seeds", "3", "4")
    assert trained == [
        ("0-seed3", "3"),
        ("0-seed4", "4"),
        ("1-seed3", "--no-gumbel"),
        ("1-seed4", "--no-gumbel"),
    ]
    assert (tmp_path / "new" / "table.md").read_text().splitlines() == [
        "| changed | positions | steps | score |",
        "| --- | --- | --- | --- |",
        "| the recipe | 50 (50 to 50) | 1,500 (1,000 to 2,000) |  |",
        "| gumbel=false | 50 (50 to 50) | 3,500 (3,000 to 4,000) | 4.4 (3.8 to 5.0) |",
    ]
    compare(monkeypatch, ablations, tmp_path, "gumbel=false", "--seeds", "5")
    assert (tmp_path / "new" / "table.md").read_text().splitlines()[-1] == "| gumbel=false | 50 | 6,000 | 7.5 |"
