"""A checkpoint: everything that the next training step depends on, in one file.

Weights, averaged weights, optimizer, step, time used, random state and statistics. A run that is killed and resumed ends
with the same weights as an uninterrupted one, bit for bit on a CPU if no rows are added to the database and only `--steps`
limits it.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.core.errors import CheckpointError
from trainer.core.files import write_bytes
from trainer.run.model_files import CHECKPOINT
from trainer.run.training_statistics import TrainingStats

VERSION = 1
DAMAGE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AssertionError,
    AttributeError,
    OSError,
    MemoryError,
)
"""What reading damaged content was found to raise: torch.load, whose documentation doesn't say, and the trials of the random
numbers and the statistics."""
KIND = b"cartridge checkpoint"
"""The first line of a checkpoint is this, the version, and the SHA-256 of the rest, which is in torch's format."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training run after `step` steps."""

    env_id: str
    step: int
    seconds: float
    """Time that the run has used so far."""
    learner: dict[str, Any]
    """`Learner.state()`: the network, its average and the optimizer."""
    generator: dict[str, Any]
    """State of the NumPy generator that draws the rows."""
    stats: dict[str, Any]
    """The fields of TrainingStats."""
    rules: str | None = None
    """The hash of the game's rules; None: the game has none, or an earlier version wrote the checkpoint."""

    def save(self, folder: Path) -> None:
        """Replace the folder's checkpoint, atomically."""
        content = io.BytesIO()
        plain = {"env_id": self.env_id, "step": self.step, "seconds": self.seconds}
        plain |= {"generator": self.generator, "stats": self.stats, "rules": self.rules}
        torch.save({"plain": json.dumps(plain), "learner": self.learner}, content)
        write_bytes(folder / CHECKPOINT, sealed(content.getvalue()))


def sealed(content: bytes) -> bytes:
    """The content of a checkpoint file: its first line, then `content`."""
    return b"%s %d %s\n" % (KIND, VERSION, hashlib.sha256(content).hexdigest().encode()) + content


def load_checkpoint(folder: Path, env_id: str) -> Checkpoint | None:
    """The folder's checkpoint; None if there is none. Reads tensors, numbers and text, never code.

    Raises CheckpointError for a file that is damaged, or that belongs to another version or another game.
    """
    path = folder / CHECKPOINT
    advice = "move it away to start from the beginning"
    try:
        first, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    found = re.fullmatch(rb"%s (\d{1,9}) ([0-9a-f]{64})" % KIND, first)
    if found is None:
        raise CheckpointError(f"{path} is not a checkpoint that can be read; {advice}")
    if int(found[1]) != VERSION:
        raise CheckpointError(f"{path} has version {int(found[1])}, this trainer reads version {VERSION}; {advice}")
    if hashlib.sha256(content).hexdigest() != found[2].decode():
        raise CheckpointError(f"{path} is damaged: its content is not what was written; {advice}")
    try:
        stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        checkpoint = Checkpoint(learner=stored["learner"], **json.loads(stored["plain"]))
        np.random.default_rng().bit_generator.state = checkpoint.generator
        TrainingStats(env_id, 0).restore(checkpoint.stats)
    except DAMAGE as error:
        raise CheckpointError(
            f"{path} is not a checkpoint that can be read ({type(error).__name__}); {advice}"
        ) from error
    if checkpoint.env_id != env_id:
        raise CheckpointError(f"{path} is a run of {checkpoint.env_id}, not {env_id}; give its --env-id, or {advice}")
    return checkpoint
