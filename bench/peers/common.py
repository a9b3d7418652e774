"""What the peers share: the weights of a model file, and how they report their count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def weights_of(model: Path) -> dict[str, np.ndarray]:
    """The arrays of a model file, by the names of the network's parameters."""
    initializers = onnx.load(model).graph.initializer
    return {initializer.name: numpy_helper.to_array(initializer) for initializer in initializers}


def report(count: int) -> None:
    """Print how many positions were played so far, for the process that measures."""
    print(count, flush=True)
