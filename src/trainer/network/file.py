"""A network of one's own, from a Python file. B batch, A actions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.compile.source import Source
from trainer.core.errors import ConfigError
from trainer.core.files import write_bytes
from trainer.games.layout import Layout
from trainer.games.library import line_in
from trainer.network.base import MoverNetwork
from trainer.replay import Metadata
from trainer.run.model_files import NETWORK

TRIED = 2
"""Positions that a new network has to answer."""


class NetworkFile:
    """A Python file with a function `network(layout, width, blocks)`, which returns a torch module.

    The module takes positions from the mover's side, float32 [B, layout.view_size], and returns policy logits [B, A] and
    values [B, 1] from -1 to 1.
    """

    def __init__(self, path: Path) -> None:
        """Run the file. Raises ConfigError if it can't be read, fails, or lacks the function."""
        self.path = path
        try:
            source = Source(path)
        except OSError as error:
            raise ConfigError(
                f"--network-file {path} can't be read ({error.strerror}); give a Python file with a function network"
            ) from error
        self.text = source.text
        self.stamp = hashlib.sha256(source.text).hexdigest()[:16]
        """A hash of the file, which models carry."""
        with self.errors_named():
            self._function = getattr(source.run(f"network_{self.stamp}", None), "network", None)
        if not callable(self._function):
            raise ConfigError(f"--network-file {path} has no function network(layout, width, blocks)")

    def module(self, layout: Layout, width: int, blocks: int) -> nn.Module:
        """What the function returns. Raises ConfigError if it fails or returns no module."""
        with self.errors_named():
            found = self._function(layout, width, blocks)  # type: ignore[misc]
        if not isinstance(found, nn.Module):
            raise ConfigError(
                f"network() of --network-file {self.path} returned an object of type {type(found).__name__}; "
                f"a torch.nn.Module is needed"
            )
        return found

    @contextmanager
    def errors_named(self) -> Iterator[None]:
        """Turn whatever the file's code raises into a ConfigError with its line."""
        try:
            yield
        except Exception as error:  # whatever somebody's code raises
            line = line_in(self.path, error)
            raise ConfigError(f"--network-file {self.path}, line {line}: {type(error).__name__}: {error}") from error

    def keep(self, models: Path) -> None:
        """Write a copy beside the models of a run."""
        write_bytes(models / NETWORK, self.text)

    def require_kept(self, models: Path) -> None:
        """Raise ConfigError if the run with these models has another file."""
        copy = models / NETWORK
        if not copy.exists() or copy.read_bytes() != self.text:
            raise ConfigError(
                f"--network-file {self.path} isn't the file that the run began with; go on with its copy, --network-file "
                f"{copy}, or start a new run without --resume"
            )


class OwnNetwork(MoverNetwork):
    """The network of a file, from the mover's side."""

    def __init__(self, file: NetworkFile, game: Metadata, layout: Layout | None, width: int, blocks: int) -> None:
        """Raises ConfigError if the file's network doesn't answer positions of the game as it should."""
        if layout is None:
            raise ConfigError(
                f"the layout of {game.env_id}'s observations is unknown, so --network-file can't be used; use --network mlp"
            )
        super().__init__(game, layout)
        self.file, self.width, self.blocks = file, width, blocks
        self.inner = file.module(layout, width, blocks)
        self._try(game)

    def answers(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """As the file's module answers."""
        logits, value = self.inner(view)
        return logits, value

    @property
    def described(self) -> dict[str, str]:
        """What a model's metadata states, so that the network can be made again with the file."""
        return {"network_file": self.file.stamp, "network_width": str(self.width), "network_blocks": str(self.blocks)}

    def _try(self, game: Metadata) -> None:
        """Raise ConfigError unless the module answers positions as `NetworkFile` says."""
        path, training = self.file.path, self.inner.training
        with torch.no_grad(), self.file.errors_named():
            answers = self.inner.eval()(torch.zeros(TRIED, self.view.size))
        self.inner.train(training)
        found = [shown(part) for part in answers] if isinstance(answers, tuple | list) else [shown(answers)]
        needed = [f"float32 {[TRIED, game.num_actions]}", f"float32 {[TRIED, 1]}"]
        if found != needed:
            raise ConfigError(
                f"the network of --network-file {path} answers {TRIED} positions with {' and '.join(found)}; policy logits, "
                f"{needed[0]}, and values, {needed[1]}, are needed"
            )
        if not any(True for _ in self.inner.parameters()):
            raise ConfigError(f"the network of --network-file {path} has no weights, so there is nothing to train")


def shown(answer: object) -> str:
    """The type and the shape of a tensor, in words."""
    if not isinstance(answer, Tensor):
        return f"a {type(answer).__name__}"
    return f"{str(answer.dtype).removeprefix('torch.')} {list(answer.shape)}"
