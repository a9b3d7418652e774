"""The names of the model files of a run."""

from __future__ import annotations

from pathlib import Path

from trainer.core.errors import ModelError

LATEST = "latest.onnx"
"""Name of the newest model in a model folder; actors watch for it to be replaced."""
CHECKPOINT = "checkpoint.pt"
"""Name of the checkpoint, beside the models."""
NETWORK = "checkpoint-network.py"
"""Name of the copy, beside the models, of the file that made their network."""
FORMER_NETWORK = "network.py"
"""What runs of earlier versions call that copy."""


def read_model(path: Path) -> bytes:
    """The bytes of a model file. Raises ModelError if it is missing or unreadable."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"there is no model at {path}; train one first, or give another path") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder; name a model in it, such as {path / 'models' / LATEST}") from None
    except OSError as error:
        raise ModelError(f"{path} can't be read as a model ({error.strerror})") from error


def stored_model(folder: Path, step: int) -> Path:
    """Where the model of a training step is kept."""
    return folder / f"model_step_{step:06d}.onnx"


def stored_models(folder: Path) -> list[Path]:
    """The models `model_step_*.onnx` in a folder, oldest first."""
    numbers = ((path, path.stem.removeprefix("model_step_")) for path in folder.glob("model_step_*.onnx"))
    return sorted((path for path, number in numbers if number.isascii() and number.isdigit()), key=step_of)


def step_of(model: Path) -> int:
    """The training step in the name of a stored model."""
    return int(model.stem.removeprefix("model_step_"))
