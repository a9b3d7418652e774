"""Loading the model files of a game."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_models import write_model

from trainer.core.errors import ModelError
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.pretrained import shipped


def test_a_model_that_is_not_there_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    """A missing file, and a folder where a file should be."""
    loader = ModelLoader("tictactoe")
    with pytest.raises(ModelError, match=r"no model at .*latest\.onnx; train one first, or give another path"):
        loader.load(tmp_path / "latest.onnx")
    with pytest.raises(ModelError, match=r"is a folder; name a model in it, such as .*models/latest\.onnx$"):
        loader.load(tmp_path)


def test_a_faster_evaluator_is_made_of_the_file_and_of_the_original(tmp_path: Path) -> None:
    """And takes its place. Without an acceleration ONNX Runtime evaluates the file."""
    path, other = (write_model(tmp_path / f"{step}.onnx", "tictactoe", step=step) for step in (7, 8))
    faster = ModelLoader("tictactoe").load(other)
    seen: list[tuple[bytes, str, int | None]] = []

    def accelerated(content: bytes, original: OnnxEvaluator) -> Evaluator:
        seen.append((content, original.source, original.step))
        return faster

    assert ModelLoader("tictactoe", accelerated).load(path) is faster
    assert seen == [(path.read_bytes(), str(path), 7)]
    assert isinstance(ModelLoader("tictactoe").load(path), OnnxEvaluator)


def test_pretrained_is_the_model_of_the_game_that_comes_with_the_package() -> None:
    """Another game has another one, or none."""
    assert ModelLoader("hex:size=5").load(Path("pretrained")).source == str(shipped("hex:size=5"))
    with pytest.raises(ModelError, match="no model of mnk:width=4 comes with this package"):
        ModelLoader("mnk:width=4").load(Path("pretrained"))
