"""A model that a new run is to start from is looked at before anything of an earlier run is touched."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from random_models import model_file, publish_model, random_network

from trainer.core.errors import ModelError
from trainer.launch.local import run_loop
from trainer.settings.loop import LoopConfig


def test_a_model_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    """The message names the file that was given, and the flags that fit it."""
    publish_model(tmp_path, step=7)
    start = tmp_path / "other.onnx"
    start.write_bytes(model_file("tictactoe", random_network("tictactoe", width=64)))
    config = LoopConfig(env_id="tictactoe", data_dir=tmp_path, network="mlp", width=32, start_from=start, steps=1)
    with pytest.raises(ModelError, match="--network mlp --width 64 --activation relu, so give these flags") as refused:
        run_loop(config, Event())
    assert f"--start-from {start}: " in str(refused.value)
    assert sorted(path.name for path in (tmp_path / "models").glob("*.onnx")) == [
        "latest.onnx",
        "model_step_000007.onnx",
    ]
    assert not list(tmp_path.rglob("old-*"))
    assert not (tmp_path / "run.json").exists()
