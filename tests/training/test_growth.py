"""A network grows during a run: it answers as before at first, and a run that is resumed grows in the same way."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ForeignDatabase
from random_models import model_file, random_network
from run_files import trainer_config

from trainer.core.errors import ConfigError
from trainer.core.signals import INTERRUPTED
from trainer.evaluators.acceleration import distance, random_play
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export import grown, kind_of
from trainer.export.weights import weights_of
from trainer.games import game_of
from trainer.games.recipes import TOWER, changed, continued
from trainer.network import Family, Loss
from trainer.settings.loop import LoopConfig
from trainer.settings.trainer import TrainerConfig
from trainer.trainer import Trainer, train
from trainer.training.learner import Learner
from trainer.training.schedule import Schedule


def config_for(folder: Path, name: str, **changed: object) -> TrainerConfig:
    """A run of 40 steps that grows after 20 of them."""
    values = {
        "model_dir": folder / name,
        "stats": folder / f"{name}.json",
        "steps": 40,
        "checkpoint_interval": 10,
        "lr_warmup": 5,
        "average": 0.95,
        "width": 8,
        "grow_to": 24,
        "grow_at": 0.5,
    }
    return trainer_config(folder, **(values | changed))


def widths(config: TrainerConfig) -> dict[int, int]:
    """The width of each model that was published, by its step."""
    return {
        int(path.stem[-6:]): kind_of(weights_of(path.read_bytes())).width
        for path in sorted(config.model_dir.glob("model_step_*.onnx"))
    }


@pytest.mark.parametrize("family", ["mlp", "conv"])
def test_models_are_wide_after_a_share_of_the_run(
    family: Family, tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line of the log says when."""
    caplog.set_level("INFO")
    config = config_for(tmp_path, "run", network=family)
    assert Trainer(config).train().step == 40
    assert widths(config) == {10: 8, 20: 8, 30: 24, 40: 24}
    assert [message for message in caplog.messages if "grew" in message] == ["the network grew from width 8 to 24"]


@pytest.mark.parametrize("last", [15, 20, 23])
def test_a_run_that_is_resumed_ends_like_an_uninterrupted_one(
    last: int, tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was stopped before the network grew, just then, or in the warm-up after that."""
    alone, config = config_for(tmp_path, "alone"), config_for(tmp_path, "stopped")
    train(alone, threading.Event())
    stop, learn = threading.Event(), Learner.learn

    def counted(learner: Learner, *arguments: Any) -> Loss:
        """A step; the one with this number ends the run."""
        taken.append(learner.steps)
        if len(taken) == last:
            stop.set()
        return learn(learner, *arguments)

    taken: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "learn", counted)
        assert train(config, stop) == INTERRUPTED
    assert len(taken) == last
    train(replace(config, resume=True), threading.Event())
    assert (config.model_dir / "latest.onnx").read_bytes() == (alone.model_dir / "latest.onnx").read_bytes()


@pytest.mark.parametrize("family", ["mlp", "conv"])
def test_a_network_that_grew_answers_as_before(family: Family) -> None:
    """To a rounding error, in positions of random play."""
    narrow, wide = (random_network("connect4", family, width, seed=width) for width in (8, 24))
    rows = random_play("connect4", seed=2)
    game = game_of("connect4")
    sizes = (game.obs_size, game.num_actions)
    before = OnnxEvaluator(model_file("connect4", narrow), "narrow.onnx", "connect4", *sizes)(*rows)
    assert grown(narrow, wide).width == 24
    after = OnnxEvaluator(model_file("connect4", wide), "wide.onnx", "connect4", *sizes)(*rows)
    assert distance(before, after) < 1e-6


def test_the_learning_rate_rises_again() -> None:
    """Over as many steps as at the start, counted from where the network grew."""
    schedule = Schedule(TrainerConfig(steps=1000, lr=0.2, lr_warmup=50, lr_schedule=False))
    assert schedule.learning_rate(700) == 0.2
    assert schedule.learning_rate(700, 5) == pytest.approx(0.02)
    assert schedule.learning_rate(700, 51) == 0.2


def test_it_grows_after_a_share_of_the_run() -> None:
    """Half of ten steps are done before step 6."""
    schedule = Schedule(TrainerConfig(steps=10, grow_to=900, grow_at=0.5))
    assert [step for step in range(1, 11) if schedule.grows_before(step)] == [6, 7, 8, 9, 10]


def test_a_network_that_is_given_grows_only_if_asked_to() -> None:
    """A recipe's growth belongs to the recipe's network."""
    recipe = LoopConfig(width=64, grow_to=128)
    assert changed(recipe, lr=0.1).grow_to == 128
    assert changed(recipe, width=256).grow_to is None
    assert changed(recipe, network="residual").grow_to is None
    assert changed(recipe, network_file=Path("net.py")).grow_to is None
    assert changed(recipe, network_file=None).grow_to == 128
    assert changed(recipe, width=32, grow_to=64).grow_to == 64
    assert TOWER["grow_to"] is None
    assert continued(recipe, width=64, minutes=5).grow_to == 128
    assert continued(recipe, width=65).grow_to is None


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"width": 8, "grow_to": 8}, "--grow-to is 8; give a number above --width 8"),
        ({"grow_to": 9}, "--grow-to is 9, and the network has a width of 128 already"),
        ({"network": "residual", "grow_to": 900}, "a residual tower and a network of one's own can't grow"),
        ({"grow_to": 900, "grow_at": 1.0}, "--grow-at is 1.0; give a number above 0 and below 1"),
    ],
)
def test_growth_that_cannot_be(settings: dict[str, object], says: str, tmp_path: Path) -> None:
    """One sentence says why."""
    with pytest.raises(ConfigError, match=says):
        train(config_for(tmp_path, "run", **({"width": None} | settings)), threading.Event())
