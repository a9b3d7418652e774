"""The comparison with an earlier commit judges by ratios, and its flags are flags of the commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import tyro

from bench.support.turns import Turn
from tools import against_commit
from tools.against_commit import GAMES, TRAINING_STEPS, Line, checked_out, round_ratios, selfplay_flags
from trainer.games.recipes import recipe_of
from trainer.settings.actor import ActorConfig
from trainer.settings.trainer import TrainerConfig


def line(now: list[float], then: list[float], decides: bool = True) -> Line:
    """Steps/s of some turns on two busy cores."""
    turns = [[Turn({"step": rate}, cores=2.0) for rate in side] for side in (now, then)]
    return Line("training", "steps/s", "step", turns[0], turns[1], decides)


def test_a_drift_of_the_machine_cancels_in_a_round() -> None:
    """Turns in the order now, then, then, now, each one slower by 1 than the one before: the ratio is 1."""
    assert round_ratios([10, 7], [9, 8]) == [1]
    assert round_ratios([10, 10, 30, 30], [20, 20, 20, 20]) == [0.5, 1.5]


def test_the_median_ratio_decides() -> None:
    """Ratios of 0.5, 0.98 and 2 are 0.98 in the middle, which is enough for 0.97 and not for 0.99."""
    found = line([5, 5, 98, 98, 4, 4], [10, 10, 100, 100, 2, 2])
    assert found.ratios == [0.5, 0.98, 2]
    assert found.ratios_per_cpu_second == [0.5, 0.98, 2]
    assert not found.fails(0.97)
    assert found.fails(0.99)
    assert found.cells(0.99)[-1] == "below 0.99"


def test_a_line_that_does_not_decide_never_fails() -> None:
    """Half the positions/s are printed without a verdict."""
    found = line([1, 1], [2, 2], decides=False)
    assert not found.fails(0.97)
    assert found.cells(0.97) == ["training, steps/s", "1 (1 to 1)", "2 (2 to 2)", *["0.500 (0.500 to 0.500)"] * 2, ""]


@pytest.mark.parametrize("env_id", GAMES)
def test_self_play_is_measured_with_the_loops_settings(env_id: str) -> None:
    """The actor understands the flags, and they set what the recipe says."""
    config = tyro.cli(ActorConfig, args=selfplay_flags(env_id, threads=2))
    recipe = recipe_of(env_id)
    assert (config.env_id, config.threads, config.wait_for_model) == (env_id, 2, True)
    assert (config.simulations, config.gumbel) == (recipe.simulations, recipe.gumbel)


def test_two_training_steps_are_measured() -> None:
    """The trainer understands the flags: tic-tac-toe's MLP at batch 64, Connect 4's convolutional network at 512."""
    configs = [tyro.cli(TrainerConfig, args=step.flags) for step in TRAINING_STEPS]
    assert [(config.env_id, config.network, config.batch_size) for config in configs] == [
        ("tictactoe", "mlp", 64),
        ("connect4", "conv", 512),
    ]


def test_the_commit_is_checked_out_and_removed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worktree has the files of the commit, and is gone afterwards. An unknown commit is an error."""
    root = tmp_path / "repository"
    root.mkdir()

    def git(*words: str) -> str:
        settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *settings, *words]
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    for content in ("first", "second"):
        (root / "code").write_text(content)
        git("add", ".")
        git("commit", "-qm", content)
    monkeypatch.setattr(against_commit, "ROOT", root)
    with checked_out("HEAD~1", tmp_path / "then") as folder:
        assert (folder / "code").read_text() == "first"
    assert not (tmp_path / "then").exists()
    assert len(git("worktree", "list").splitlines()) == 1
    with pytest.raises(SystemExit, match="git can't check out nothing"), checked_out("nothing", tmp_path / "other"):
        pass
