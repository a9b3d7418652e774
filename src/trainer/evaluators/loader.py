"""How the model files of one game become evaluators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.evaluators.interface import Evaluator
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.pretrained import model_path
from trainer.run.model_files import read_model


@dataclass(frozen=True)
class ModelLoader:
    """Makes the evaluators of one game's model files."""

    env_id: str
    acceleration: Callable[[bytes, OnnxEvaluator], Evaluator] | None = None
    """Makes an evaluator, perhaps a faster one, of a file's content and what ONNX Runtime makes of it. It raises ModelError
    for a model that can't be used. None: ONNX Runtime evaluates the file."""

    def load(self, path: Path) -> Evaluator:
        """The model in a file; the path `pretrained` is the model of the game that comes with the package.

        Raises ModelError if there is none or it doesn't fit the game.
        """
        path = model_path(path, self.env_id)
        return self.made_of(read_model(path), str(path))

    def made_of(self, content: bytes, source: str) -> Evaluator:
        """The model in the bytes of its file; `source` names it in errors. Raises as OnnxEvaluator does."""
        original = OnnxEvaluator(content, source, self.env_id)
        return self.acceleration(content, original) if self.acceleration else original
