"""Models that are broken, or fail in use: the last good one stays in use."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import serving
from conftest import ForeignDatabase
from random_models import publish_model
from small_models import linear_model
from torture.faults import full_disk, running, trainer_for
from torture.visitor import Visitor
from waiting import wait_until

from trainer.actor.actor import act
from trainer.core.errors import TrainerError
from trainer.core.files import signature_of, write_bytes
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.loader import ModelLoader
from trainer.launch.evaluations import Evaluations
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.settings.actor import ActorConfig
from trainer.trainer import train
from trainer.training.checkpoint import load_checkpoint
from trainer.training.learner import Learner


@pytest.mark.parametrize("broken", ["cut", "other game", "empty", "NaN", "gone"])
def test_a_broken_latest_model_leaves_the_last_good_one_in_use(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running actor says what is wrong, plays on with the model before it, and takes the next good one."""
    publish_model(tmp_path, step=1)
    latest = tmp_path / "models" / "latest.onnx"
    good = latest.read_bytes()
    contents = {
        "cut": good[: len(good) // 2],
        "other game": linear_model(np.zeros((93, 7), np.float32)),
        "empty": b"",
        "NaN": linear_model(np.full((29, 9), np.nan, np.float32)),
    }
    caplog.set_level(logging.INFO)
    config = ActorConfig(
        replay_db_path=tmp_path / "replay.db", data_dir=tmp_path, games=4, simulations=5, replay_window=10_000
    )
    with running(lambda stop: act(config, stop)) as result:
        wait_until(lambda: "playing with model step 1" in caplog.text, "it doesn't play")
        if broken == "gone":
            missed: list[Path] = []

            def noted(path: Path) -> tuple[int, int, int]:
                try:
                    return signature_of(path)
                except FileNotFoundError:
                    missed.append(path)
                    raise

            monkeypatch.setattr("trainer.evaluators.hot_reload.signature_of", noted)
            latest.unlink()
            wait_until(lambda: len(missed) > 1, "it doesn't look")
        else:
            latest.write_bytes(contents[broken])
            wait_until(lambda: "keeping the model before it" in caplog.text, "it says nothing")
        wait_until((tmp_path / "actor_stats.json").exists, "it stores nothing")
        games = json.loads((tmp_path / "actor_stats.json").read_bytes())["episodes_completed"]
        wait_until(
            lambda: json.loads((tmp_path / "actor_stats.json").read_bytes())["episodes_completed"] > games + 20,
            "it doesn't play on",
        )
        stats = json.loads((tmp_path / "actor_stats.json").read_bytes())
        assert next(iter(stats["actors"].values()))["model_step"] == 1
        publish_model(tmp_path, step=2)
        wait_until(lambda: "playing with model step 2" in caplog.text, "it doesn't take the good model")
    assert not isinstance(result[0], Exception)


def test_a_model_that_fails_in_use_is_given_up_for_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is fine on an empty observation and NaN on stones, so only play finds it out."""
    weights = np.zeros((29, 9), np.float32)
    weights[0, 0] = 3e38  # times two stones' worth is more than float32 holds
    latest = tmp_path / "latest.onnx"
    latest.write_bytes(linear_model(np.zeros((29, 9), np.float32)))
    model = ModelFile(latest, ModelLoader("tictactoe"), every=0.0)
    before = model.current
    latest.write_bytes(linear_model(weights))
    assert model.poll()
    assert model.current is not None
    with pytest.raises(TrainerError, match="answers NaN or infinity") as raised:
        model.current(np.full((1, 29), 2, np.float32), np.ones((1, 9), np.bool_))
    model.give_up(model.current, raised.value)  # type: ignore[arg-type]
    assert model.current is before
    assert "going back to the model before it" in caplog.text


def shown(visitor: Visitor) -> tuple[int | None, str]:
    """The step of the model that plays, and what the page says of the newest one."""
    model = visitor.json("GET", "/model")
    return model["training_step"], model["status"]


def test_a_broken_model_leaves_the_page_its_last_good_one(tmp_path: Path) -> None:
    """Each is reported once, the one before it plays on, and the next good one is taken; also by a game under way."""
    run, latest = tmp_path / "run", tmp_path / "run" / "models" / "latest.onnx"
    publish_model(run, step=1)
    good = latest.read_bytes()
    two_stones = np.zeros((29, 9), np.float32)
    two_stones[[4, 0], 8] = -3e38  # infinity in a position that only search gets to
    broken = {
        "is not an ONNX model": good[: len(good) // 2],
        "is a model for another game": linear_model(np.zeros((93, 7), np.float32)),
        "answers NaN or infinity to an empty": linear_model(np.full((29, 9), np.nan, np.float32)),
        "answers NaN or infinity; ": linear_model(two_stones),
    }
    with open(tmp_path / "web.log", "wb") as log, serving(run, log=log) as server:
        visitor = Visitor(server.port)
        visitor.json("POST", "/game/new", first="player", simulations=200)
        for number, (what, content) in enumerate(broken.items(), start=1):
            before = shown(visitor)
            write_bytes(latest, content)
            wait_until(lambda before=before: shown(visitor) != before, "the page doesn't look at the file")
            visitor.json("POST", "/game/new", first="player")
            state = visitor.json("POST", "/move", position=4)
            assert (state["model_step"], state["bot_move"] is not None) == (number, True)
            assert what in state["message"]
            assert "the model before it plays" in state["message"]
            model = visitor.json("GET", "/model")
            assert (model["loaded"], model["training_step"]) == (True, number)
            assert what in model["status"]
            assert (tmp_path / "web.log").read_text().count(what) == 1
            before = shown(visitor)
            publish_model(run, step=number + 1)
            wait_until(lambda before=before: shown(visitor) != before, "the page doesn't take the good model")
            state = visitor.json("POST", "/move", position=state["legal_moves"][0])
            assert state["model_step"] == number + 1
            assert "can't be used" not in state["message"]
        visitor.close()
        assert server.stop() == 0


def test_a_broken_model_or_a_full_disk_costs_the_loop_one_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each, and the next model is evaluated."""
    latest = tmp_path / "models" / "latest.onnx"
    evaluations = Evaluations(RunFolder(tmp_path), ModelLoader("tictactoe"), seed=0, resumed=False)
    write_bytes(latest, b"cut short")
    evaluations.finish("first")
    publish_model(tmp_path, step=2)
    with monkeypatch.context() as patched:
        patched.setattr(EvaluationLog, "append", full_disk)
        evaluations.finish("second")
    evaluations.finish("third")
    assert [entry["step"] for entry in EvaluationLog(tmp_path / "evaluations.jsonl").read()] == [2]
    assert [line.partition(" (")[0] for line in caplog.messages] == ["the newest model isn't evaluated"] * 2
    assert "No space left" in caplog.text


def test_weights_that_are_not_finite_are_never_published(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of step 40 is still finite when its gradient breaks the weights: the batch is saved, model 20 stays."""
    learn = Learner.learn

    def broken(self, batch, rate):  # type: ignore[no-untyped-def]
        loss = learn(self, batch, rate)
        if self._steps == 40:
            with torch.no_grad():
                next(self.network.parameters())[0, 0] = torch.inf
        return loss

    monkeypatch.setattr(Learner, "learn", broken)
    config = trainer_for(tmp_path)
    with pytest.raises(
        TrainerError,
        match=r"the loss or the weights at step 40 are not finite.*published model is good and the batch is in",
    ):
        train(config, threading.Event())
    assert ModelLoader("tictactoe").load(config.model_dir / "latest.onnx").step == 20
    checkpoint = load_checkpoint(config.model_dir, "tictactoe")
    assert checkpoint is not None
    assert checkpoint.step == 20
    assert (tmp_path / "bad-batch-step-40.npz").exists()
