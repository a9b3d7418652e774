"""The newest model of a run, kept ready for players."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from trainer.core.errors import ModelError
from trainer.core.files import signature_of
from trainer.run.model_files import read_model


@dataclass(frozen=True)
class ShelvedModel:
    """A model file."""

    identity: str
    """SHA-256 of the content."""
    content: bytes


def model_of(content: bytes) -> ShelvedModel:
    """A model with its identity."""
    return ShelvedModel(hashlib.sha256(content).hexdigest(), content)


class ModelShelf:
    """Holds the content of a model file, which may appear or be replaced at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._newest: ShelvedModel | None = None

    @property
    def newest(self) -> ShelvedModel | None:
        """The model that is in the file now, or was when it could last be read; None before the first one."""
        try:
            signature = signature_of(self._path)
            if signature != self._seen:
                self._newest = model_of(read_model(self._path))
                self._seen = signature
        except (OSError, ModelError):
            pass  # the trainer reports what is wrong with its files
        return self._newest
