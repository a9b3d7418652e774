"""The training loop learns, is reproducible, follows its database, and writes the contract's statistics."""

from __future__ import annotations

import errno
import json
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import CENTRE, COLUMNS, EMPTY_BOARD, CloseLater, ForeignDatabase, add_random_play, floats, run_module
from programs import ending
from run_files import trainer_config
from torture.faults import running
from waiting import PATIENCE, wait_until

from trainer.core.errors import ConfigError, GameError, ModelError, ReplayError, TrainerError, WaitTimeoutError
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.export import Exporter
from trainer.network import Loss
from trainer.replay import Batch, ReplayBuffer
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import write_actor
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import ACTOR_STATS_FILE
from trainer.run.model_files import step_of, stored_models
from trainer.settings.trainer import TrainerConfig
from trainer.trainer import Trainer, train
from trainer.training.learner import Learner, tuned_torch
from trainer.training.publish import Retention
from trainer.training.rows import RowSupply
from trainer.training.schedule import Due, Schedule


def config_for(folder: Path, **changed: object) -> TrainerConfig:
    """A short run in a folder."""
    values = {
        "steps": 30,
        "max_wait": 0.3,
        "wait_interval": 0.05,
    }
    return trainer_config(folder, **(values | changed))


def run(config: TrainerConfig) -> int:
    """Train without interruption."""
    return train(config, threading.Event())


def let_steps_take(monkeypatch: pytest.MonkeyPatch, seconds_of: Callable[[int], float]) -> None:
    """Give the schedule a clock on which step number `step`, from 1, takes `seconds_of(step)` and all else takes no time."""
    now, begun, learn = [100.0], count(1), Learner.learn

    def learn_and_tick(self: Learner, batch: Batch, learning_rate: float) -> Loss:
        now[0] += seconds_of(next(begun))
        return learn(self, batch, learning_rate)

    monkeypatch.setattr(Learner, "learn", learn_and_tick)
    monkeypatch.setattr("trainer.training.schedule.time", SimpleNamespace(monotonic=lambda: now[0]))


def model_of(config: TrainerConfig) -> Evaluator:
    """The newest model of a tic-tac-toe run."""
    return ModelLoader("tictactoe").load(config.model_dir / "latest.onnx")


def test_training_learns_what_the_rows_say(foreign: Callable[..., ForeignDatabase], tmp_path: Path) -> None:
    """Every row has the centre as its move and ends in a win: the model plays the centre and expects to win; losses fall."""
    foreign().add_tictactoe(100)
    config = config_for(tmp_path, steps=300, lr=0.01, stats_interval=1)
    assert run(config) == 0
    prior, value = model_of(config)(np.frombuffer(EMPTY_BOARD, "<f4")[None], np.ones((1, 9), np.bool_))
    assert prior[0, 4] > 0.99
    assert value[0] > 0.95
    stats = json.loads(config.stats.read_text())
    assert stats["history"][0]["policy_loss"] > 1
    assert stats["policy_loss"] < 0.05
    assert stats["value_loss"] < 0.01
    assert stats["total_loss"] == pytest.approx(stats["policy_loss"] + stats["value_loss"], rel=1e-5)


def test_a_lost_position_gets_a_negative_value(foreign: Callable[..., ForeignDatabase], tmp_path: Path) -> None:
    """The sign of game_outcome stays the mover's, all the way to the model."""
    foreign().add_tictactoe(100, outcome=-1.0)
    config = config_for(tmp_path, steps=200, lr=0.01)
    run(config)
    _, value = model_of(config)(np.frombuffer(EMPTY_BOARD, "<f4")[None], np.ones((1, 9), np.bool_))
    assert value[0] < -0.95


def test_stats_have_every_field_of_the_contract(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """With the right types, and with the right values if the run determines them."""
    config = config_for(tmp_path, steps=25, stats_interval=10, checkpoint_interval=10)
    before = int(time.time())
    run(config)
    stats = json.loads(config.stats.read_text())
    assert (stats["step"], stats["total_steps"], stats["samples_seen"]) == (25, 25, 25 * 64)
    assert stats["replay_buffer_size"] == 200
    assert stats["env_id"] == "tictactoe"
    assert stats["last_checkpoint"] == str(config.model_dir / "model_step_000025.onnx")
    assert stats["learning_rate"] == pytest.approx(0.0001)
    assert before <= stats["timestamp"] <= time.time()
    assert [point["step"] for point in stats["history"]] == [10, 20, 25]
    assert set(stats["history"][0]) >= {"step", "total_loss", "value_loss", "policy_loss", "learning_rate"}
    assert stats["last_eval"] is None
    assert stats["eval_history"] == []
    whole = ("step", "total_steps", "samples_seen", "replay_buffer_size", "timestamp")
    assert {name: type(stats[name]) for name in whole} == dict.fromkeys(whole, int)
    losses = ("total_loss", "policy_loss", "value_loss", "learning_rate")
    for values in (stats, *stats["history"]):
        assert {name: type(values[name]) for name in losses} == dict.fromkeys(losses, float)


def test_models_are_published_at_each_checkpoint_and_at_the_last_step(
    tictactoe_rows: ForeignDatabase, tmp_path: Path
) -> None:
    """Nothing else is in the folder, and latest.onnx is the newest model."""
    config = config_for(tmp_path, steps=35, checkpoint_interval=10, max_checkpoints=3)
    run(config)
    names = sorted(path.name for path in config.model_dir.iterdir())
    assert names == ["checkpoint.pt", "latest.onnx", *(f"model_step_0000{step}.onnx" for step in (20, 30, 35))]
    newest = (config.model_dir / "model_step_000035.onnx").read_bytes()
    assert (config.model_dir / "latest.onnx").read_bytes() == newest
    assert model_of(config).step == 35


def test_a_run_limited_by_minutes_states_its_steps(
    tictactoe_rows: ForeignDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until its end it states an estimate from the pace so far: here steps 1 to 10 take two seconds each, the others one."""
    caplog.set_level("INFO")
    let_steps_take(monkeypatch, lambda step: 2.0 if step <= 10 else 1.0)
    config = config_for(tmp_path, steps=10**9, minutes=0.5)
    run(config)
    stats = json.loads(config.stats.read_text())
    assert stats["total_steps"] == stats["step"] == 20
    said = [message for message in caplog.messages if message.startswith("loss")]
    assert [message.partition("step ")[2] for message in said] == ["10 of 15, 200 rows", "20 of 20, 200 rows"]


def test_models_can_be_spread_over_a_run(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its length is unknown at first. Of the models of 30 steps, one per second and published every 8, these stay: step 0,
    one half-way, and the newest."""
    let_steps_take(monkeypatch, lambda step: 1.0)
    config = config_for(tmp_path, steps=10**9, minutes=0.5, publish_first=True, checkpoint_interval=8)
    run(replace(config, max_checkpoints=3, spread_checkpoints=True))
    assert [step_of(model) for model in stored_models(config.model_dir)] == [0, 16, 30]


def test_the_same_seed_gives_the_same_weights(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Byte for byte, if no rows are added; another seed gives other weights."""
    models = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        config = config_for(tmp_path, model_dir=tmp_path / name, seed=seed)
        run(config)
        models.append((tmp_path / name / "latest.onnx").read_bytes())
    assert models[0] == models[1]
    assert models[0] != models[2]


def test_rows_added_while_training_are_used(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Another program adds rows in the default journal mode: there is no error, and the last statistics count them."""
    config = config_for(tmp_path, steps=10**9)

    def more_rows_are_used() -> bool:
        add_random_play(tictactoe_rows, 20, seed=tictactoe_rows.rows)
        return config.stats.exists() and json.loads(config.stats.read_text())["replay_buffer_size"] > 300

    with running(lambda stop: train(config, stop)) as results:
        wait_until(more_rows_are_used, "the new rows aren't used", results)
    assert results == [130]
    assert 300 < json.loads(config.stats.read_text())["replay_buffer_size"] <= tictactoe_rows.rows
    assert model_of(config).step == json.loads(config.stats.read_text())["step"]


def test_a_game_without_rules_is_trained_from_its_metadata(
    foreign: Callable[..., ForeignDatabase], tmp_path: Path
) -> None:
    """A 2x2 game without rules here: the model has the game's dimensions and learns its only move."""
    database = foreign("tiny")
    database.metadata(width=2, height=2, actions=4, obs_size=14, offset=8)
    for _ in range(70):
        database.add(floats(*[0] * 8, 1, 1, 1, 1, 1, 0), floats(0, 0, 1, 0), 1.0)
    database.connection.commit()
    config = config_for(tmp_path, env_id="tiny", steps=200, lr=0.01)
    assert run(config) == 0
    session = onnxruntime.InferenceSession(config.model_dir / "latest.onnx")
    (logits,) = session.run(["policy_logits"], {"observation": np.array([[0] * 8 + [1] * 5 + [0]], np.float32)})
    assert np.exp(logits[0, 2]) / np.exp(logits[0]).sum() > 0.95


def test_rows_without_policy_only_train_the_value(foreign: Callable[..., ForeignDatabase], tmp_path: Path) -> None:
    """All policies NULL: the policy loss is 0 and the value is learned."""
    foreign().add_tictactoe(100, policy=None)
    config = config_for(tmp_path, steps=200, lr=0.01)
    run(config)
    stats = json.loads(config.stats.read_text())
    assert stats["policy_loss"] == 0
    assert stats["value_loss"] < 0.01


def test_the_learning_rate_follows_a_cosine() -> None:
    """It is lr at the start, the mean of lr and its minimum half-way, the minimum at the end."""
    config = TrainerConfig(steps=100, lr=0.2, lr_min_ratio=0.5)
    schedule = Schedule(config)
    assert [schedule.learning_rate(step) for step in (0, 50, 100)] == pytest.approx([0.2, 0.15, 0.1])
    assert schedule.learning_rate(25) == pytest.approx(0.1 + 0.1 * (1 + math.cos(math.pi / 4)) / 2)
    flat = Schedule(replace(config, lr_schedule=False))
    assert [flat.learning_rate(step) for step in (1, 100)] == [0.2, 0.2]


def test_the_learning_rate_rises_first() -> None:
    """By a factor on the cosine, which falls meanwhile, so a short run stays below its learning rate."""
    flat = Schedule(TrainerConfig(steps=1000, lr=0.2, lr_schedule=False, lr_warmup=50))
    assert [flat.learning_rate(step) for step in (5, 50, 51)] == pytest.approx([0.02, 0.2, 0.2])
    warm, cold = (Schedule(TrainerConfig(steps=1000, lr=0.2, lr_warmup=steps)) for steps in (50, 0))
    assert warm.learning_rate(25) == pytest.approx(cold.learning_rate(25) / 2)
    assert warm.learning_rate(500) == cold.learning_rate(500)
    short = Schedule(TrainerConfig(steps=100, lr=0.2, lr_warmup=50))
    assert max(map(short.learning_rate, range(1, 101))) < 0.2 * 0.6


def test_the_minutes_of_a_run_begin_with_its_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it waited for rows, as when an actor compiles; those of an earlier part count."""
    now = [100.0]
    monkeypatch.setattr("trainer.training.schedule.time.monotonic", lambda: now[0])
    schedule = Schedule(TrainerConfig(steps=None, minutes=1, lr=0.2, lr_min_ratio=0.5))
    schedule.seconds_before = 20.0
    now[0] = 500.0
    assert (schedule.seconds, schedule.over) == (20.0, False)
    schedule.begin()
    now[0] = 510.0
    assert schedule.progress(1) == pytest.approx(0.5)
    assert schedule.learning_rate(1) == pytest.approx(0.15), "the middle of the cosine"
    now[0] = 539.9
    assert not schedule.over
    now[0] = 540.0
    assert schedule.over


def test_models_can_be_due_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, then ten seconds after each; at the last step always. A run that is resumed begins anew with that."""
    now = [100.0]
    monkeypatch.setattr("trainer.training.schedule.time.monotonic", lambda: now[0])
    schedule = Schedule(TrainerConfig(steps=9, publish_seconds=10))
    schedule.begin()
    due = []
    for step, now[0] in enumerate((101.0, 102.0, 110.9, 111.0, 111.5, 150.0, 155.0, 159.8, 159.9), 1):
        assert schedule.due_after(step) == schedule.due_after(step)  # asking changes nothing
        if schedule.due_after(step).model:
            schedule.count_model()
            due.append(step)
    assert due == [1, 4, 6, 9]


def test_everything_is_due_after_the_last_step() -> None:
    """Also if that is because the run is stopped; before it, each thing is due at its interval."""
    schedule = Schedule(TrainerConfig(steps=9, checkpoint_interval=4, stats_interval=2, log_interval=3))
    assert schedule.due_after(1) == Due(model=False, stats=False, log=False, last=False)
    assert schedule.due_after(4) == Due(model=True, stats=True, log=False, last=False)
    assert schedule.due_after(6) == Due(model=False, stats=True, log=True, last=False)
    assert schedule.due_after(9) == schedule.due_after(1, stopped=True) == Due(True, True, True, True)


def test_the_untrained_model_does_not_put_the_next_one_off(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """If models are due by time, the first trained one follows at once."""
    config = config_for(tmp_path, steps=5, publish_first=True, publish_seconds=1000.0)
    run(config)
    assert [step_of(model) for model in stored_models(config.model_dir)] == [0, 1, 5]


def test_a_model_that_can_not_be_written_is_not_tried_again_at_every_step(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If models are due by time: here after step 1, and after the last one, where it is an error."""
    steps = []

    def publish(content: bytes, folder: Path, step: int, retention: Retention) -> Path:
        steps.append(step)
        raise OSError(errno.ENOSPC, "No space left on device", "latest.onnx")

    monkeypatch.setattr("trainer.training.output.publish", publish)
    with pytest.raises(OSError, match="No space left"):
        run(config_for(tmp_path, steps=5, publish_seconds=1000.0))
    assert steps == [1, 5]


def test_gradients_are_clipped_unless_clipping_is_off(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """A tiny norm changes the weights, although AdamW hardly depends on the gradient's scale; 0 equals a huge norm."""
    weights = []
    for name, clip in (("tiny", 1e-9), ("off", 0.0), ("huge", 1e9)):
        config = config_for(tmp_path, model_dir=tmp_path / name, grad_clip=clip)
        run(config)
        weights.append((config.model_dir / "latest.onnx").read_bytes())
    assert weights[0] != weights[1]
    assert weights[1] == weights[2]


def test_an_average_of_the_weights_is_published(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """At a learning rate of almost 0 the average equals the weights; at a large one it differs."""
    outputs = {}
    for lr in (1e-12, 0.05):
        for average in (0.0, 0.9):
            folder = tmp_path / f"{lr}-{average}"
            run(config_for(tmp_path, model_dir=folder, lr=lr, average=average, steps=20))
            model = ModelLoader("tictactoe").load(folder / "latest.onnx")
            outputs[lr, average] = model(np.frombuffer(EMPTY_BOARD, "<f4")[None], np.ones((1, 9), np.bool_))[0]
    assert outputs[1e-12, 0.0] == pytest.approx(outputs[1e-12, 0.9], abs=1e-6)
    assert np.abs(outputs[0.05, 0.0] - outputs[0.05, 0.9]).max() > 1e-3


def test_an_earlier_run_in_the_folder_is_set_aside(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its models and statistics move to old-<time>, and one line of the log says so; latest.onnx stays until the first new
    model is published."""
    caplog.set_level("INFO")
    config = config_for(tmp_path, steps=20)
    run(config)
    EvaluationLog(tmp_path / "evaluations.jsonl").append({"step": 20})
    write_actor(tmp_path / ACTOR_STATS_FILE, "actor-1", ActorStats("tictactoe", 5))
    first = (config.model_dir / "latest.onnx").read_bytes()
    run(replace(config, seed=7))
    (old,) = config.model_dir.glob("old-*")
    assert [message for message in caplog.messages if "aside" in message] == [
        f"set the earlier run of this folder aside in {old}; latest.onnx stays until the first new model"
    ]
    kept = [
        "actor_stats.json",
        "checkpoint.pt",
        "evaluations.jsonl",
        "model_step_000020.onnx",
        "run.json",
        "stats.json",
    ]
    assert sorted(path.name for path in old.iterdir()) == kept
    assert json.loads(config.stats.read_text())["eval_history"] == []
    assert (old / "model_step_000020.onnx").read_bytes() == first
    assert (config.model_dir / "latest.onnx").read_bytes() != first


def test_an_earlier_run_stays_until_there_are_rows_for_a_new_one(
    tictactoe_rows: ForeignDatabase, tmp_path: Path
) -> None:
    """A trainer that waits in vain has changed nothing, and the earlier run can go on."""
    config = config_for(tmp_path, steps=5)
    run(config)
    files = [config.stats, tmp_path / "run.json", *config.model_dir.iterdir()]
    before = [path.read_bytes() for path in files]
    with pytest.raises(WaitTimeoutError):
        run(replace(config, batch_size=1000))
    assert [path.read_bytes() for path in files] == before
    assert list(config.model_dir.glob("old-*")) == []
    assert Trainer(replace(config, steps=8, resume=True)).train().step == 8


def test_an_earlier_run_stays_if_the_new_one_can_not_begin(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here its network can't be exported."""
    config = config_for(tmp_path, steps=5)
    run(config)
    files = [config.stats, tmp_path / "run.json", *config.model_dir.iterdir()]
    before = [path.read_bytes() for path in files]

    def refuse(*arguments: object) -> Exporter:
        raise ModelError("it can't be exported")

    monkeypatch.setattr("trainer.training.output.Exporter", refuse)
    with pytest.raises(ModelError):
        run(config)
    assert [path.read_bytes() for path in files] == before
    assert list(config.model_dir.glob("old-*")) == []


def test_training_pauses_once_every_row_was_sampled_often_enough(
    tictactoe_rows: ForeignDatabase, close_later: CloseLater
) -> None:
    """200 rows suffice for 200 samples; before the 201st it waits for one more row."""
    replay = close_later(ReplayBuffer(tictactoe_rows.path, _metadata(tictactoe_rows)))
    replay.refresh()
    config = TrainerConfig(db=tictactoe_rows.path, minutes=60, batch_size=1, passes=1)

    def wait_for(step: int, stop: threading.Event) -> None:
        RowSupply(replay, config, Schedule(config), stop, [tictactoe_rows.path]).wait_for(step)

    wait_for(200, threading.Event())
    with running(lambda stop: wait_for(201, stop)) as ended:
        time.sleep(0.3)
        assert not ended
        tictactoe_rows.add_tictactoe(1)
        wait_until(lambda: ended, "it doesn't go on")
        assert len(replay) == 201


def _metadata(database: ForeignDatabase):  # type: ignore[no-untyped-def]
    from trainer.game_config import load_game_config

    return load_game_config(database.env_id, database.path).metadata


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"steps": 0}, ConfigError, "--steps is 0; at least 1"),
        ({"batch_size": 0}, ConfigError, "--batch-size is 0; at least 1"),
        ({"units": 0}, ConfigError, "--units is 0; at least 1"),
        ({"lines": -1}, ConfigError, "--lines is -1; 0 or more is needed"),
        ({"width": 0}, ConfigError, "--width is 0; at least 1"),
        ({"blocks": 0}, ConfigError, "--blocks is 0; at least 1"),
        ({"checkpoint_interval": 0}, ConfigError, "--checkpoint-interval is 0"),
        ({"publish_seconds": 0.0}, ConfigError, "--publish-seconds is 0.0; a number above 0 is needed"),
        ({"max_checkpoints": 0}, ConfigError, "--max-checkpoints is 0; at least 1"),
        ({"stats_interval": 0}, ConfigError, "--stats-interval is 0; at least 1"),
        ({"log_interval": 0}, ConfigError, "--log-interval is 0; at least 1"),
        ({"passes": 0.0}, ConfigError, "--passes is 0.0; a number above 0 is needed"),
        ({"average": 1.0}, ConfigError, "--average is 1.0; give a number from 0 up to, but not including, 1"),
        ({"q_weight": 2.0}, ConfigError, "--q-weight is 2.0; give a number from 0 to 1"),
        ({"lr": 0.0}, ConfigError, "--lr is 0.0"),
        ({"lr": math.nan}, ConfigError, "--lr is nan"),
        ({"lr_min_ratio": 1.5}, ConfigError, "--lr-min-ratio is 1.5"),
        ({"lr_warmup": -1}, ConfigError, "--lr-warmup is -1"),
        ({"grad_clip": -1.0}, ConfigError, "--grad-clip is -1.0"),
        ({"max_wait": -1.0}, ConfigError, "--max-wait is -1.0"),
        ({"wait_interval": math.inf}, ConfigError, "--wait-interval is inf"),
        ({"seed": 10**20}, ConfigError, r"--seed is 1\d+; a number from 0 to 2\^63 - 1"),
        (
            {"env_id": "chess"},
            GameError,
            "'chess' has neither rules here nor metadata in .*tictactoe, connect4, othello",
        ),
        ({"db": ()}, ConfigError, "--db is given without a path"),
        ({"db": Path("no*.db")}, ConfigError, r"--db no\*.db finds no file"),
        ({"device": "cuda"}, ConfigError, "--device cuda can.t be used: none here; give auto or cpu"),
        ({"batch_size": 201}, WaitTimeoutError, "200 rows of tictactoe in .* after 0.3 s, a batch needs 201"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(
    tictactoe_rows: ForeignDatabase,
    tmp_path: Path,
    changed: dict[str, object],
    error: type[TrainerError],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It names what was expected and what was found, and nothing is written."""
    monkeypatch.setattr("trainer.gpu.devices.problem_with_cuda", lambda: "none here")
    with pytest.raises(error, match=message) as raised:
        run(config_for(tmp_path, **changed))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "stats.json").exists()


def test_a_folder_that_cannot_be_written_is_refused(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """The message names the flag that chose the folder."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"can't write to the folder .*file/models .*--model-dir"):
        run(config_for(tmp_path, model_dir=tmp_path / "file" / "models"))


def test_a_loss_that_is_not_finite_stops_training(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """An absurd learning rate makes training diverge. That is noticed before a model is due, after 200 steps."""
    with pytest.raises(TrainerError, match=r"at step \d\d? are not finite: the loss is (nan|inf) "):
        run(config_for(tmp_path, lr=1e30, grad_clip=0.0, steps=200, lr_schedule=False, checkpoint_interval=200))


def test_weights_that_are_not_finite_stop_training(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they are published, although the loss is finite: it is that before the step. The batch is saved."""
    monkeypatch.setattr(Learner, "finite", False)
    says = r"^the loss or the weights at step 10 are not finite: the loss is \d\S+ \(policy \d\S+, value \d\S+\); "
    with pytest.raises(TrainerError, match=rf"{says}no model was published and the batch is in \S+-10\.npz; "):
        run(config_for(tmp_path, checkpoint_interval=10, batch_size=50))
    with np.load(tmp_path / "bad-batch-step-10.npz") as batch:
        assert batch["value_target"].shape == (50,)


def test_a_wrong_row_stops_training_with_its_name(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Even if it comes after good rows."""
    tictactoe_rows.add_tictactoe(1, policy=CENTRE + CENTRE)
    with pytest.raises(ReplayError, match=r"row foreign-step-200 of .*policy_probs has 18 entries"):
        run(config_for(tmp_path))


@pytest.mark.command
class TestCommand:
    """`python -m trainer`, as a user types it."""

    def test_it_exits_with_0_and_takes_every_flag_of_the_contract(
        self, tictactoe_rows: ForeignDatabase, tmp_path: Path
    ) -> None:
        """All flags at once, with values other than the defaults."""
        flags = (
            f"--db {tmp_path}/replay.db --model-dir {tmp_path}/m --stats {tmp_path}/s.json --steps 20 --batch-size 32 "
            "--lr 0.002 --weight-decay 0.01 --grad-clip 0.5 --checkpoint-interval 10 --device cpu --no-lr-schedule "
            "--lr-min-ratio 0.01 --wait-interval 1.0 --max-wait 5 --env-id tictactoe --stats-interval 5 --log-interval 5 "
            "--max-checkpoints 1 --seed 3 --log-level WARNING"
        )
        done = run_module("trainer", *flags.split())
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads((tmp_path / "s.json").read_text())["learning_rate"] == 0.002
        assert sorted(path.name for path in (tmp_path / "m").glob("*.onnx")) == [
            "latest.onnx",
            "model_step_000020.onnx",
        ]

    def test_defaults_are_those_of_the_contract(self) -> None:
        """Defaults are declared in the dataclass, from which the flags are made."""
        defaults = {name: field.default for name, field in TrainerConfig.__dataclass_fields__.items()}
        assert {name: str(value) if isinstance(value, Path) else value for name, value in defaults.items()}.items() >= {
            "db": "../data/replay.db",
            "model_dir": "../data/models",
            "stats": "../data/stats.json",
            "steps": 1000,
            "batch_size": 64,
            "lr": 0.001,
            "weight_decay": 0.0001,
            "grad_clip": 1.0,
            "checkpoint_interval": 100,
            "device": "cpu",
            "lr_schedule": True,
            "lr_min_ratio": 0.1,
            "lr_warmup": 0,
            "wait_interval": 2.0,
            "max_wait": 300.0,
            "env_id": "tictactoe",
            "stats_interval": 10,
            "log_interval": 10,
            "max_checkpoints": 10,
            "seed": 0,
            "log_level": "INFO",
        }.items()

    def test_it_fails_with_1_and_one_line(
        self,
        foreign: Callable[..., ForeignDatabase],
        tmp_path: Path,
        call_main: Callable[..., int],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The error isn't shown as a traceback."""
        foreign(columns=COLUMNS.replace("observation BLOB NOT NULL, ", "", 1))
        words = ("--db", tmp_path / "replay.db", "--model-dir", tmp_path / "m", "--stats", tmp_path / "s")
        assert call_main("trainer.__main__", *words) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert said.startswith("error: the table transitions of ")
        assert "lacks observation;" in said

    def test_it_times_out_with_2_and_says_what_it_waited_for(
        self,
        tmp_path: Path,
        call_main: Callable[..., int],
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """There is no database, and nobody creates one."""
        caplog.set_level("INFO")
        words = ("--db", tmp_path / "none.db", "--model-dir", tmp_path / "m", "--stats", tmp_path / "s")
        assert call_main("trainer.__main__", *words, "--max-wait", 1, "--wait-interval", 0.1) == 2
        assert f"waiting for 64 rows: no {tmp_path}/none.db yet" in caplog.messages
        assert capsys.readouterr().err.startswith(f"error: no {tmp_path}/none.db yet after 1 s")

    @pytest.mark.parametrize(
        ("words", "steps"),
        [(("--minutes", 5), None), (("--minutes", 5, "--steps", 70), 70), (("--minutes", "None"), 1000), ((), 1000)],
    )
    def test_minutes_alone_bound_a_run_alone(
        self,
        tmp_path: Path,
        call_main: Callable[..., int],
        monkeypatch: pytest.MonkeyPatch,
        words: tuple[object, ...],
        steps: int | None,
    ) -> None:
        """Else five minutes would end after the 1,000 steps that are the default."""
        seen: list[int | None] = []
        monkeypatch.setattr("trainer.trainer.train", lambda config, stop: seen.append(config.steps) or 0)
        assert call_main("trainer.__main__", "--stats", tmp_path / "stats.json", *words) == 0
        assert seen == [steps]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
    def test_it_is_interrupted_with_130_and_publishes_its_last_step(
        self, tictactoe_rows: ForeignDatabase, tmp_path: Path, number: signal.Signals
    ) -> None:
        """The signal comes during training; the step in progress is finished and saved."""
        command = [sys.executable, "-m", "trainer", "--db", str(tmp_path / "replay.db"), "--steps", "1000000"]
        command += ["--model-dir", str(tmp_path / "models"), "--stats", str(tmp_path / "stats.json"), "--lr", "0.0001"]
        with ending(subprocess.Popen(command, stderr=subprocess.PIPE, text=True)) as process:
            wait_until((tmp_path / "models" / "latest.onnx").exists, "it doesn't train")
            process.send_signal(number)
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130, errors
        step = json.loads((tmp_path / "stats.json").read_text())["step"]
        assert (tmp_path / "models" / f"model_step_{step:06d}.onnx").exists()
        assert f"interrupted after step {step}, which is saved" in errors


def test_a_batch_is_not_changed_by_the_next_one(tictactoe_rows: ForeignDatabase, close_later: CloseLater) -> None:
    """Each batch has arrays of its own."""
    replay = close_later(ReplayBuffer(tictactoe_rows.path, _metadata(tictactoe_rows)))
    replay.refresh()
    generator = np.random.default_rng(0)
    first: Batch = replay.sample(generator, 16)
    kept = first.observation.copy()
    replay.sample(generator, 16)
    assert (first.observation == kept).all()


@pytest.mark.parametrize(
    ("device", "changed", "in_loop", "threads"),
    [
        ("cpu", {}, False, [1]),
        ("cpu", {"network": "residual"}, False, [7]),
        ("cpu", {"network": "residual"}, True, [1]),
        ("cuda", {}, False, [7]),
        ("cuda", {}, True, [1]),
    ],
)
def test_torch_has_all_cores_where_it_trains_alone(
    monkeypatch: pytest.MonkeyPatch, device: str, changed: dict[str, Any], in_loop: bool, threads: list[int]
) -> None:
    """Our kernels compute on one thread; in a loop the actor has the other cores, also if the network learns on a GPU."""
    seen: list[int] = []
    monkeypatch.setattr("torch.set_num_threads", seen.append)
    monkeypatch.setattr("torch.set_float32_matmul_precision", lambda _: None)
    monkeypatch.setattr("torch.backends.cudnn.benchmark", False)  # whatever is set is undone
    monkeypatch.setattr("trainer.training.learner.available_cores", lambda: 7)
    monkeypatch.delenv("CARTRIDGE_PARENT", raising=False)
    if in_loop:
        monkeypatch.setenv("CARTRIDGE_PARENT", "1")
    monkeypatch.setattr("torch.get_num_threads", lambda: 5)
    with tuned_torch(torch.device(device), TrainerConfig(**changed)):
        assert seen == threads
    assert seen == [*threads, 5]


def test_training_leaves_torch_as_it_was(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Threads and random numbers of the program that trains stay its own, also if training fails."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        numbers = torch.get_rng_state()
        run(config_for(tmp_path, steps=2, seed=7))
        with pytest.raises(WaitTimeoutError):
            run(config_for(tmp_path, batch_size=1000))
        assert torch.get_num_threads() == 3
        assert torch.equal(torch.get_rng_state(), numbers)
    finally:
        torch.set_num_threads(before)
