"""The comparison with an earlier commit judges by ratios, and its flags are flags of the commands."""

from __future__ import annotations

import os
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import tyro

from bench.support.turns import Turn
from tools import against_commit
from tools.against_commit import (
    GAMES,
    NOT_OF_THE_RECIPE,
    ROOT,
    TRAINING_STEPS,
    Known,
    Line,
    Side,
    checked_out,
    left_out,
    recipe_flags,
    round_ratios,
    selfplay_flags,
)
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


@pytest.fixture(scope="module")
def known() -> Known:
    """The flags of today's commands, as their --help has them."""
    return Side(ROOT, dict(os.environ)).known()


def shared(config: object, recipe: object) -> dict[str, tuple[object, object]]:
    """The settings of a command that are those of a recipe, too, with both values."""
    names = {setting.name for setting in fields(recipe)} - NOT_OF_THE_RECIPE
    return {
        setting.name: (getattr(config, setting.name), getattr(recipe, setting.name))
        for setting in fields(config)
        if setting.name in names
    }


def differing(config: object, recipe: object) -> dict[str, tuple[object, object]]:
    """Those with different values."""
    return {name: values for name, values in shared(config, recipe).items() if values[0] != values[1]}


@pytest.mark.parametrize("env_id", GAMES)
def test_self_play_is_measured_with_the_loops_settings(env_id: str, known: Known) -> None:
    """The actor understands the flags, and they set all that the recipe says; nothing is left out."""
    config = tyro.cli(ActorConfig, args=selfplay_flags(env_id, 2, known))
    recipe = recipe_of(env_id)
    assert (config.env_id, config.threads, config.wait_for_model) == (env_id, 2, True)
    assert {"value_scale", "fewest_random_plies", "simulations"} <= set(shared(config, recipe))
    assert differing(config, recipe) == {}
    assert left_out(GAMES, known) == []


def test_the_trainer_gets_the_loops_settings(known: Known) -> None:
    """All of them, such as the activation, but none by which it would end or wait."""
    recipe = recipe_of("connect4")
    config = tyro.cli(TrainerConfig, args=recipe_flags("connect4", TrainerConfig, known))
    assert {"units", "activation", "merge_repeats", "lr_warmup", "batch_size"} <= set(shared(config, recipe))
    assert differing(config, recipe) == {}
    assert config.passes is None


def test_what_the_earlier_commit_does_not_know_is_left_out_and_named(known: Known) -> None:
    """The other flags stay."""
    fewer = {config: set(flags) - {"--value-scale", "--activation"} for config, flags in known.items()}
    assert left_out(GAMES, fewer) == ["--activation", "--value-scale"]
    without = selfplay_flags("connect4", 2, fewer)
    assert [word for word in selfplay_flags("connect4", 2, known) if word not in without] == ["--value-scale=1.0"]


def test_two_training_steps_are_measured(known: Known) -> None:
    """The trainer understands the flags: tic-tac-toe's MLP at batch 64, Connect 4's convolutional network at 512."""
    configs = [tyro.cli(TrainerConfig, args=step.flags(known)) for step in TRAINING_STEPS]
    assert [(config.env_id, config.network, config.batch_size) for config in configs] == [
        ("tictactoe", "mlp", 64),
        ("connect4", "conv", 512),
    ]
    assert differing(configs[1], recipe_of("connect4")) == {}


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
