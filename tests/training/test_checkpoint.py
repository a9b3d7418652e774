"""A stopped run loses nothing: after --resume it ends like an uninterrupted one."""

from __future__ import annotations

import errno
import io
import json
import shutil
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from conftest import ForeignDatabase
from run_files import stored_game, trainer_config
from torture.faults import running
from waiting import wait_until

from trainer.core.errors import CheckpointError, ConfigError, TrainerError
from trainer.core.files import TEMPORARY_PREFIX, write_bytes
from trainer.evaluators.loader import ModelLoader
from trainer.game_config import load_game_config, metadata_of
from trainer.games import game_of
from trainer.games.library import registry
from trainer.network import NetworkSettings, PolicyValueNetwork
from trainer.replay import ReplayBuffer, ReplayWriter
from trainer.run.model_files import step_of, stored_model, stored_models
from trainer.run.training_statistics import StatsFile, TrainingStats
from trainer.settings.trainer import TrainerConfig
from trainer.trainer import train
from trainer.training.checkpoint import CHECKPOINT, load_checkpoint, sealed
from trainer.training.learner import Learner
from trainer.training.publish import remove_models_after

OWN_GAME = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"


def config_for(folder: Path, **changed: object) -> TrainerConfig:
    """A run of 200 steps that uses everything with a state: average, schedule, mixed targets."""
    values = {
        "steps": 200,
        "checkpoint_interval": 30,
        "average": 0.95,
        "q_weight": 0.5,
        "max_wait": 1.0,
    }
    return trainer_config(folder, **(values | changed))


def run(config: TrainerConfig) -> int:
    """Train without interruption."""
    return train(config, threading.Event())


def result(config: TrainerConfig) -> tuple[bytes, list[dict[str, float]]]:
    """The last model and all losses."""
    stats = json.loads(config.stats.read_text())
    return (config.model_dir / "latest.onnx").read_bytes(), stats["history"]


def test_an_interrupted_run_is_saved_at_its_last_step(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """It is stopped between checkpoints; the resumed run ends like an uninterrupted one."""
    alone = config_for(tmp_path, model_dir=tmp_path / "alone", stats=tmp_path / "alone.json", stats_interval=1)
    run(alone)
    config = replace(alone, model_dir=tmp_path / "stopped", stats=tmp_path / "stopped.json")
    stop = threading.Event()
    stop.set()
    assert train(config, stop) == 130
    checkpoint = load_checkpoint(config.model_dir, "tictactoe")
    assert checkpoint is not None
    assert checkpoint.step == 1
    run(replace(config, resume=True))
    assert result(config) == result(alone)


def test_models_after_the_last_checkpoint_are_made_again(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """A run that was killed between its newest model and the checkpoint leaves one that the resumed run doesn't build on."""
    config = config_for(tmp_path, steps=20, checkpoint_interval=10, max_checkpoints=3)
    run(config)
    later = config.model_dir / "model_step_000027.onnx"
    later.write_bytes((config.model_dir / "latest.onnx").read_bytes())
    run(replace(config, steps=25, resume=True))
    assert [path.name for path in stored_models(config.model_dir)] == [
        f"model_step_0000{step}.onnx" for step in (10, 20, 25)
    ]


def test_models_of_a_run_that_could_not_write_its_checkpoint_are_kept(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its disk had room for models, but not for checkpoints, which are larger. The resumed run doesn't build on them."""
    config = config_for(tmp_path, steps=20, checkpoint_interval=10, max_checkpoints=3)
    run(config)
    for step in (27, 37):
        (config.model_dir / f"model_step_0000{step}.onnx").write_bytes(b"%d" % step)
    run(replace(config, steps=25, resume=True))
    assert [path.name for path in stored_models(config.model_dir)] == [
        f"model_step_0000{step}.onnx" for step in (10, 20, 25)
    ]
    (old,) = config.model_dir.glob("old-*")
    assert [path.read_bytes() for path in stored_models(old)] == [b"27", b"37"]
    said = f"checkpoint.pt is of step 20, and no later one was written: moved the 2 models after it to {old}"
    assert said in caplog.text


@pytest.mark.parametrize(
    ("models", "kept"), [((100, 200), []), ((200,), [200]), ((100, 200, 300), [200, 300])], ids=str
)
def test_what_may_be_hours_of_work_is_not_deleted(models: tuple[int, ...], kept: list[int], tmp_path: Path) -> None:
    """With --max-checkpoints 1 there is a single model, whatever its step; that of the checkpoint is gone then."""
    for step in models:
        stored_model(tmp_path, step).write_bytes(b"model")
    remove_models_after(tmp_path, 100)
    assert [step_of(path) for path in sorted(tmp_path.glob("old-*/*.onnx"))] == kept
    assert [step_of(path) for path in stored_models(tmp_path)] == [step for step in models if step <= 100]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("content", [None, b"damaged", b"that of another run"])
def test_a_resumed_run_publishes_the_model_of_its_checkpoint(
    tictactoe_rows: ForeignDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stored: bool,
    content: bytes | None,
) -> None:
    """An actor may wait for it, and the trainer for the actor's games. The file may be gone, or that of another run."""
    config = config_for(tmp_path, steps=20, publish_first=True)
    run(config)
    latest = config.model_dir / "latest.onnx"
    before = onnx.load(latest)
    latest.unlink() if content is None else latest.write_bytes(content)
    if not stored:
        (config.model_dir / "model_step_000020.onnx").unlink()

    def stopped(*given: object, **named: object) -> ReplayBuffer:
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.trainer.ReplayBuffer", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(replace(config, steps=40, resume=True))
    assert onnx.load(latest).graph == before.graph
    assert ModelLoader("tictactoe").load(latest).step == 20


def test_steps_are_the_total_of_a_resumed_run(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """90 steps, then --steps 120 trains thirty more; a complete run trains no further."""
    run(config_for(tmp_path, steps=90))
    run(config_for(tmp_path, steps=120, resume=True))
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert (stats["step"], stats["total_steps"], stats["samples_seen"]) == (120, 120, 120 * 64)
    before = (tmp_path / "models" / "latest.onnx").read_bytes()
    assert run(config_for(tmp_path, steps=120, resume=True)) == 0
    assert (tmp_path / "models" / "latest.onnx").read_bytes() == before


def test_the_checkpoint_of_another_game_is_refused(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """The message has both names."""
    run(config_for(tmp_path, steps=30))
    with pytest.raises(CheckpointError, match="is a run of tictactoe, not connect4"):
        load_checkpoint(tmp_path / "models", "connect4")


def test_the_checkpoint_of_other_rules_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a new database: else its models would say that they had learned the edited rules. Nothing is changed."""
    rules = Path(shutil.copy(OWN_GAME, tmp_path / "mine.py"))

    def config(steps: int) -> TrainerConfig:
        """Of a process that has just started, with a database of games by the rules that the file has now."""
        monkeypatch.setattr(registry, "_named", {})
        monkeypatch.setattr(registry, "_games", {})
        database = tmp_path / f"{steps}.db"
        game = load_game_config(str(rules), database)
        with closing(ReplayWriter(database, game.metadata, rules=game.stored_rules)) as writer:
            writer.write([stored_game("myttt", [0, 3, 1, 4, 2], number) for number in range(4)])
        return config_for(tmp_path, env_id=str(rules), db=database, batch_size=8, steps=steps, resume=steps > 2)

    def files() -> dict[str, bytes]:
        models = tmp_path / "models"
        return {
            path.name: path.read_bytes()
            for path in (tmp_path / "run.json", tmp_path / "stats.json", *models.glob("*.*"))
        }

    run(config(2))
    before, text = files(), rules.read_text()
    rules.write_text(text.replace("max(row, column, diagonal, other)", "max(row, column)"))
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt was trained by other rules of myttt: their hash was"):
        run(config(3))
    assert files() == before
    rules.write_text(text)
    run(config(4))
    path = tmp_path / "models" / CHECKPOINT
    stored = torch.load(io.BytesIO(path.read_bytes().partition(b"\n")[2]), weights_only=True)
    plain = json.loads(stored["plain"])
    del plain["rules"]  # as an earlier version wrote it
    content = io.BytesIO()
    torch.save(stored | {"plain": json.dumps(plain)}, content)
    path.write_bytes(sealed(content.getvalue()))
    run(config(5))


@pytest.mark.parametrize(
    "damage", ["cut", "flipped", "text", "empty", "version", "pickle", "random numbers", "no history", "history"]
)
def test_a_damaged_checkpoint_is_refused(tictactoe_rows: ForeignDatabase, tmp_path: Path, damage: str) -> None:
    """It is never loaded in part, and no code in it is run."""
    run(config_for(tmp_path, steps=30))
    path = tmp_path / "models" / CHECKPOINT
    content = path.read_bytes()
    if damage in ("pickle", "random numbers", "no history", "history"):
        stored = torch.load(io.BytesIO(content.partition(b"\n")[2]), weights_only=True)
        plain = json.loads(stored["plain"])
        changes = {
            "random numbers": {"generator": {}},
            "no history": {"stats": {}},
            "history": {"stats": {"history": [{"step": 1, "joy": 0.5}]}},
        }
        plain |= changes.get(damage, {})
        code = io.BytesIO()
        forged = {"plain": Path, "learner": print} if damage == "pickle" else stored | {"plain": json.dumps(plain)}
        torch.save(forged, code)
        path.write_bytes(sealed(code.getvalue()))
    else:
        flipped = bytearray(content)
        flipped[-1000] ^= 1
        damaged = {"cut": content[: len(content) // 2], "text": b"hello", "empty": b"", "flipped": bytes(flipped)}
        path.write_bytes(damaged.get(damage, content.replace(b"checkpoint 1 ", b"checkpoint 99 ", 1)))
    reason = {"version": "has version 99", "cut": "is damaged", "flipped": "is damaged"}
    with pytest.raises(CheckpointError, match=reason.get(damage, "not a checkpoint that can be read")):
        run(config_for(tmp_path, resume=True))


def test_a_batch_that_breaks_training_is_saved(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """The error after an absurd learning rate names the file with the batch, and says that no model was published."""
    config = config_for(tmp_path, lr=1e20, grad_clip=0.0, average=0.0, checkpoint_interval=1000)
    write_bytes(config.model_dir / "latest.onnx", b"an earlier run's, which stays until the first new model")
    with pytest.raises(TrainerError, match="no model was published and the batch is in") as raised:
        run(config)
    (saved,) = tmp_path.glob("bad-batch-step-*.npz")
    assert str(saved) in str(raised.value)
    with np.load(saved) as stored:
        batch = dict(stored)
    assert batch["observation"].shape == (64, 29)
    assert np.isfinite(batch["observation"]).all()


def test_a_resumed_run_does_not_wait_for_rows_that_it_has_used(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """90 steps at 4 passes needed 1,440 rows, of which 200 are left: the next 10 steps wait for 160 new rows, not 1,400."""
    run(config_for(tmp_path, steps=90))
    (tmp_path / "run.json").unlink()  # as in a run of an earlier version; else the other passes would be refused
    config = config_for(tmp_path, steps=100, passes=4.0, resume=True)
    caplog.clear()
    caplog.set_level("INFO")
    with running(lambda stop: train(config, stop)) as results:
        wait_until(lambda: "training tictactoe on 200 rows" in caplog.text, "it doesn't begin", results)
        tictactoe_rows.add_tictactoe(159)
        time.sleep(0.5)
        assert not results, "it didn't wait"
        tictactoe_rows.add_tictactoe(1)
        wait_until(lambda: results, "it doesn't end")
    assert results == [0]


@pytest.mark.parametrize(("bound", "flag"), [({"steps": 40}, "--steps"), ({"minutes": 1e-5}, "--minutes")])
def test_a_finished_run_says_which_limit_to_raise(
    tictactoe_rows: ForeignDatabase,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    bound: dict[str, float],
    flag: str,
) -> None:
    """Nothing is trained or published again; what a killed process left is removed, what it didn't write is written."""
    config = config_for(tmp_path, **bound)
    run(config)
    models = [*config.model_dir.iterdir()]
    (config.model_dir / f"{TEMPORARY_PREFIX}1-killed").touch()
    stated = json.loads(config.stats.read_text())
    config.stats.write_text(json.dumps(stated | {"step": 1, "timestamp": 1}))  # killed before it wrote the last ones
    written = (config.model_dir / "latest.onnx").stat().st_mtime_ns
    with caplog.at_level("INFO"):
        assert run(replace(config, resume=True)) == 0
    assert f"the run is over: {stated['step']} steps are done; to go on give more {flag}" in caplog.text
    again = json.loads(config.stats.read_text())
    assert again | {"timestamp": 0} == stated | {"timestamp": 0}
    assert [*config.model_dir.iterdir()] == models
    assert (config.model_dir / "latest.onnx").stat().st_mtime_ns == written


def test_a_run_resumed_without_an_average_continues_from_its_weights() -> None:
    """It doesn't continue from the published average, which doesn't match the optimizer's moments."""
    network = PolicyValueNetwork(metadata_of(game_of("tictactoe")))
    averaged = Learner(network, TrainerConfig(average=0.9))
    with torch.no_grad():
        for parameter in averaged.published.parameters():
            parameter.zero_()
    state = averaged.state()
    resumed = Learner(PolicyValueNetwork(metadata_of(game_of("tictactoe"))), TrainerConfig(average=0.0))
    resumed.restore(state)
    for ours, theirs in zip(resumed.network.parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_resumed_run_uses_the_weight_decay_it_is_given() -> None:
    """It doesn't use the checkpoint's."""
    learner = Learner(PolicyValueNetwork(metadata_of(game_of("tictactoe"))), TrainerConfig(weight_decay=0.1))
    resumed = Learner(PolicyValueNetwork(metadata_of(game_of("tictactoe"))), TrainerConfig(weight_decay=0.5))
    resumed.restore(learner.state())
    assert [group["weight_decay"] for group in resumed.state()["optimizer"]["param_groups"]] == [0.5]


def test_an_optimizer_of_other_shapes_is_refused() -> None:
    """A case found by damaging checkpoints: the weights fit, but the optimizer's state doesn't."""
    state = Learner(PolicyValueNetwork(metadata_of(game_of("tictactoe"))), TrainerConfig()).state()
    state["optimizer"]["state"] = {
        0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3), "exp_avg_sq": torch.zeros(3)}
    }
    with pytest.raises(CheckpointError, match="is of another network"):
        Learner(PolicyValueNetwork(metadata_of(game_of("tictactoe"))), TrainerConfig()).restore(state)


def test_a_network_with_another_activation_is_refused() -> None:
    """Its weights have the same names and shapes. A checkpoint of an earlier version names none, and has
    ReLUs."""
    game, config = metadata_of(game_of("tictactoe")), TrainerConfig()
    state = Learner(PolicyValueNetwork(game), config).state()
    squared = Learner(PolicyValueNetwork(game, NetworkSettings(activation="squared-relu")), config)
    with pytest.raises(CheckpointError, match="is of another network: its --activation is relu, not squared-relu"):
        squared.restore(state)
    del state["activation"]
    with pytest.raises(CheckpointError, match="is of another network: its --activation is relu, not squared-relu"):
        squared.restore(state)
    Learner(PolicyValueNetwork(game), config).restore(state)


def test_a_run_is_saved_although_its_statistics_can_not_be_written(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may lie on another disk; the last step says what is wrong."""

    def write(self: StatsFile, stats: TrainingStats, at_once: bool = False) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device", "stats.json")

    monkeypatch.setattr(StatsFile, "write", write)
    config = config_for(tmp_path, steps=30)
    with pytest.raises(OSError, match="No space left"):
        run(config)
    checkpoint = load_checkpoint(config.model_dir, "tictactoe")
    assert checkpoint is not None
    assert checkpoint.step == 30


def test_the_statistics_of_another_run_are_not_mistaken_for_its_own(
    tictactoe_rows: ForeignDatabase, tmp_path: Path
) -> None:
    """run.json lies beside them, so the settings would be those of the other run."""
    config = config_for(tmp_path, steps=20, model_dir=tmp_path / "a")
    run(config)
    run(replace(config, model_dir=tmp_path / "b"))
    with pytest.raises(
        ConfigError, match=r"run\.json is of the run with the models in .*/b, not of that in .*/a; give the"
    ):
        run(replace(config, model_dir=tmp_path / "a", resume=True))
