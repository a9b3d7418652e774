"""What TensorBoard shows of a run that was resumed, and of a new run in the same folder."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from conftest import ForeignDatabase
from run_files import trainer_config

from trainer.core.errors import ConfigError
from trainer.run.cluster_players import PlayerRow
from trainer.run.evaluations import EvaluationLog
from trainer.run.training_statistics import TrainingPoint
from trainer.trainer import Trainer
from trainer.training.tensorboard import EventFiles

accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="it is an extra")


def train(folder: Path, steps: int, resume: bool = False) -> None:
    """Train with event files."""
    intervals = {"stats_interval": 10, "checkpoint_interval": 20}
    Trainer(trainer_config(folder, steps=steps, resume=resume, tensorboard=folder / "events", **intervals)).train()


def steps_of(events: Path) -> list[int]:
    """The steps of the curve of the total loss, as TensorBoard reads a folder."""
    accumulator = accumulators.EventAccumulator(str(events))
    accumulator.Reload()
    return [point.step for point in accumulator.Scalars("total_loss")]


def test_a_resumed_run_has_one_point_per_step(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """What was written after the checkpoint, before the run was killed, is replaced by what is trained again."""
    train(tmp_path, 40)
    checkpoint = (tmp_path / "models" / "checkpoint.pt").read_bytes()
    train(tmp_path, 70, resume=True)
    (tmp_path / "models" / "checkpoint.pt").write_bytes(checkpoint)  # as if it had been killed before the next one
    train(tmp_path, 100, resume=True)
    assert steps_of(tmp_path / "events") == list(range(10, 101, 10))


def test_statistics_of_actors_that_cannot_be_read_end_no_training(
    tictactoe_rows: ForeignDatabase, tmp_path: Path
) -> None:
    """They may be another user's, or on a disk that fails. Here a folder has their name."""
    (tmp_path / "actor_stats.json").mkdir()
    train(tmp_path, 20)
    assert steps_of(tmp_path / "events") == [10, 20]


def test_the_players_of_a_cluster_have_curves(tmp_path: Path) -> None:
    """One per number, by machine and player; a player that starts again goes on with its curves."""
    events = EventFiles(tmp_path)
    events.begin(0)
    for step, name in ((10, "actor-1-2-aaaa"), (20, "actor-1-2-bbbb")):
        player = PlayerRow(name, "node-7", 2.5, 20.0, step, int(time.time()) - 100, 0.25)
        events.add(TrainingPoint(step, 1.0, 0.5, 0.5, 0.01), players=[player])
    accumulator = accumulators.EventAccumulator(str(tmp_path))
    accumulator.Reload()

    def curve(name: str) -> list[tuple[int, float]]:
        return [(point.step, point.value) for point in accumulator.Scalars(f"node-7/actor-1-2/{name}")]

    assert curve("games_per_second") == [(10, 2.5), (20, 2.5)]
    assert curve("positions_per_second") == [(10, 20.0), (20, 20.0)]
    assert curve("model_step") == [(10, 10.0), (20, 20.0)]
    assert curve("back_pressure") == [(10, 0.25), (20, 0.25)]
    assert all(value >= 99 for _, value in curve("age_seconds"))


def test_evaluations_have_curves(tmp_path: Path) -> None:
    """By opponent, at the steps of their models, each once, also over a resume; what is no evaluation is left out."""
    log = EvaluationLog(tmp_path / "evaluations.jsonl")
    quality = {"simulations": 0, "weak_error": 0.25, "strong_error": 0.5}
    rates = {"opponent": "random", "win_rate": 0.75, "draw_rate": 0.0, "loss_rate": 0.25}

    def evaluate(step: int, after: int) -> None:
        log.append({"step": step, "timestamp": int(time.time()) + after, **rates, "move_quality": [quality, None]})

    for done, steps, after in ((0, (10, 20), -100), (30, (30, 40), 100)):
        events = EventFiles(tmp_path / "events")
        events.begin(done)
        for step in steps:
            evaluate(step, after)
            log.append({"step": step, "move_quality": None})
            events.add(TrainingPoint(step + 10, 1.0, 0.5, 0.5, 0.01), log)
        events.close()
    accumulator = accumulators.EventAccumulator(str(tmp_path / "events"))
    accumulator.Reload()
    for name, value in (("against_random/win_rate", 0.75), ("wrong_moves/weak_error_at_0", 0.25)):
        expected = [(step, value) for step in (10, 20, 30, 40)]
        assert [(point.step, point.value) for point in accumulator.Scalars(name)] == expected


def test_a_new_run_sets_the_files_of_the_earlier_one_aside(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is a curve of its own; other files of the folder stay."""
    train(tmp_path, 30)
    (tmp_path / "events" / "notes.txt").write_text("mine")
    caplog.set_level("INFO")
    train(tmp_path, 20)
    assert "set the earlier run's files for TensorBoard aside" in caplog.text
    assert steps_of(tmp_path / "events") == [10, 20]
    (old,) = (tmp_path / "events").glob("old-*")
    assert steps_of(old) == [10, 20, 30]
    assert (tmp_path / "events" / "notes.txt").read_text() == "mine"


def test_event_files_need_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ConfigError) as refusal:
        EventFiles(tmp_path)
    assert str(refusal.value) == (
        "--tensorboard needs the package tensorboard, which is not installed; install it with: "
        "pip install 'tensorboard>=2.15'"
    )
