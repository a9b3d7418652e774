"""A network of one's own, from a Python file. B batch, A actions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.core.errors import ConfigError
from trainer.core.python_file import PythonFile, lines_named
from trainer.games.layout import Layout
from trainer.network.base import MoverNetwork
from trainer.replay import Metadata
from trainer.run.kept_network import read_network

TRIED = 2
"""Positions that a new network has to answer."""
FLAG = "--network-file "
"""What an error says before the path of the file."""


class NetworkFile:
    """A Python file with a function `network(layout, width, blocks)`, which returns a torch module.

    The module takes positions from the mover's side, float32 [B, layout.view_size], and returns policy logits [B, A] and
    values [B, 1] from -1 to 1.
    """

    def __init__(self, path: Path) -> None:
        """Run the file. Raises ConfigError if it can't be read, fails, or lacks the function."""
        file = PythonFile(path, read_network(path))
        self.path, self.text = path, file.text
        self.stamp = hashlib.sha256(self.text).hexdigest()[:16]
        """A hash of the file, which models carry."""
        with lines_named(path, ConfigError, FLAG):
            function = getattr(file.run(f"network_{self.stamp}", None), "network", None)
        if not callable(function):
            raise ConfigError(f"--network-file {path} has no function network(layout, width, blocks)")
        self._function: Callable[[Layout, int, int], object] = function

    def module(self, layout: Layout, width: int, blocks: int) -> nn.Module:
        """What the function returns. Raises ConfigError if it fails or returns no module."""
        with lines_named(self.path, ConfigError, FLAG):
            found = self._function(layout, width, blocks)
        if not isinstance(found, nn.Module):
            raise ConfigError(
                f"network() of --network-file {self.path} returned an object of type {type(found).__name__}; "
                f"a torch.nn.Module is needed"
            )
        return found


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

    def _try(self, game: Metadata) -> None:
        """Raise ConfigError unless the module answers positions as `NetworkFile` says."""
        path, modes = self.file.path, [(module, module.training) for module in self.inner.modules()]
        with torch.no_grad(), lines_named(path, ConfigError, FLAG):
            answers = self.inner.eval()(torch.zeros(TRIED, self.view.size))
        for module, training in modes:  # parts may be frozen
            module.training = training
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
