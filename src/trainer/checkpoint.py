"""A training run that can go on: everything that decides the next step, in one file.

Weights, averaged weights, optimizer, step, time used, random state and statistics. A run that is killed and resumed ends
with the same weights as one that was left alone, bit for bit on a CPU and a finished database.
"""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainer.errors import CheckpointError
from trainer.files import write_bytes

CHECKPOINT = "checkpoint.pt"
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after `step` steps."""

    env_id: str
    step: int
    seconds: float
    """Time that the run has used so far."""
    learner: dict[str, Any]
    """State of the network, its average and the optimizer."""
    generator: dict[str, Any]
    """State of the NumPy generator that draws the rows."""
    stats: dict[str, Any]
    """The fields of TrainingStats."""

    def save(self, folder: Path) -> None:
        """Replace the folder's checkpoint, atomically."""
        content = io.BytesIO()
        plain = {"env_id": self.env_id, "step": self.step, "seconds": self.seconds}
        plain |= {"generator": self.generator, "stats": self.stats}
        torch.save({"version": VERSION, "plain": json.dumps(plain), "learner": self.learner}, content)
        write_bytes(folder / CHECKPOINT, content.getvalue())


def load_checkpoint(folder: Path, env_id: str) -> Checkpoint | None:
    """The folder's checkpoint, None where there is none. Tensors, numbers and text are read, never code.

    Raises CheckpointError for a file that can't be read, of another version or of another game.
    """
    path = folder / CHECKPOINT
    advice = "move it away to start from the beginning"
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        version = stored["version"]
        plain, learner = json.loads(stored["plain"]), stored["learner"]
    except FileNotFoundError:
        return None
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint that can be read ({type(error).__name__}); {advice}"
        ) from error
    if version != VERSION:
        raise CheckpointError(f"{path} has version {version}, this trainer reads version {VERSION}; {advice}")
    if plain["env_id"] != env_id:
        raise CheckpointError(f"{path} is a run of {plain['env_id']}, not {env_id}; give its --env-id, or {advice}")
    return Checkpoint(learner=learner, **plain)
