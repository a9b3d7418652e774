"""A custom network, from a Python file. B batch, A actions."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.core.errors import ConfigError, first_line
from trainer.core.python_file import PythonFile, lines_named
from trainer.games.layout import Layout
from trainer.network.base import MoverNetwork
from trainer.network.loss import Loss, MoverBatch
from trainer.replay import Metadata
from trainer.run.kept_network import read_network

TRIED = 2
"""Positions that a new network has to answer."""
FLAG = "--network-file "
"""What an error says before the path of the file."""


class NetworkFile:
    """A Python file with a function `network(layout, width, blocks)`, which returns a torch module.

    The module takes positions from the mover's side, float32 [B, layout.view_size], and returns policy logits [B, A] and
    values [B, 1] from -1 to 1. If the file has a function `loss(module, batch)`, training minimizes that: it gets the module
    and a MoverBatch, and returns a Loss.
    """

    def __init__(self, path: Path) -> None:
        """Run the file. Raises ConfigError if it can't be read, fails, or lacks the function."""
        file = PythonFile(path, read_network(path))
        self.path, self.text = path, file.text
        self.stamp = hashlib.sha256(self.text).hexdigest()[:16]
        """A hash of the file, which models carry."""
        with lines_named(path, ConfigError, FLAG):
            module = file.run(f"network_{self.stamp}", None)
        function, loss = getattr(module, "network", None), getattr(module, "loss", None)
        if not callable(function):
            raise ConfigError(f"--network-file {path} has no function network(layout, width, blocks)")
        if loss is not None and not callable(loss):
            raise ConfigError(
                f"loss in --network-file {path} is an object of type {type(loss).__name__}; it is the name of a function "
                f"loss(module, batch), so rename it"
            )
        self._function: Callable[[Layout, int, int], object] = function
        self.loss: Callable[[nn.Module, MoverBatch], Loss] | None = loss
        """What training minimizes; None: `alphazero_loss`."""

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


class CustomNetwork(MoverNetwork):
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

    def loss(self, observation: Tensor, legal: Tensor, policy_target: Tensor, value_target: Tensor) -> Loss:
        """As the file's function computes it, if there is one."""
        if self.file.loss is None:
            return super().loss(observation, legal, policy_target, value_target)
        legal, policy_target = (self.view.turned(observation, part) for part in (legal, policy_target))
        return self.file.loss(self.inner, MoverBatch(self.view(observation), legal, policy_target, value_target))

    def try_step(self, game: Metadata) -> None:
        """Compute a loss and its gradient where the weights are now, with a copy of the network.

        Raises whatever the file's code raises, such as for tensors that it makes on another device.
        """
        trial, device = copy.deepcopy(self), self.weight.device
        moves = torch.ones(TRIED, game.num_actions, device=device)
        observation = torch.zeros(TRIED, game.obs_size, device=device)
        loss = trial.loss(observation, moves > 0, moves / game.num_actions, torch.zeros(TRIED, device=device))
        loss.total.backward()  # type: ignore[no-untyped-call]

    def _try(self, game: Metadata) -> None:
        """Raise ConfigError unless module and loss do with a batch what `NetworkFile` says."""
        modes = [(module, module.training) for module in self.inner.modules()]
        self.inner.eval()
        view, moves = torch.zeros(TRIED, self.view.size), torch.ones(TRIED, game.num_actions)
        self._try_answers(view, game)
        batch = MoverBatch(view, moves > 0, moves / game.num_actions, torch.zeros(TRIED))
        if self.file.loss:
            self._try_loss(batch)
        for module, training in modes:  # parts may be frozen
            module.training = training
        self._try_copies(batch)

    def _try_answers(self, view: Tensor, game: Metadata) -> None:
        """Raise ConfigError unless the module answers an empty `view`, of zeros, with finite logits and values."""
        path = self.file.path
        with torch.no_grad(), lines_named(path, ConfigError, FLAG):
            answers = self.inner(view)
        found = [shown(part) for part in answers] if isinstance(answers, tuple | list) else [shown(answers)]
        needed = [f"float32 {[TRIED, game.num_actions]}", f"float32 {[TRIED, 1]}"]
        if found != needed:
            raise ConfigError(
                f"the network of --network-file {path} answers {TRIED} positions with {' and '.join(found)}; policy logits, "
                f"{needed[0]}, and values, {needed[1]}, are needed"
            )
        if not any(True for _ in self.inner.parameters()):
            raise ConfigError(f"the network of --network-file {path} has no weights, so there is nothing to train")
        if not all(part.isfinite().all() for part in answers):
            raise ConfigError(
                f"the network of --network-file {path} answers NaN or infinity to an empty observation, which is all zeros; "
                f"answers must be finite, also the policy logits of illegal moves: leave those alone, because search and "
                f"loss mask them"
            )

    def _try_loss(self, batch: MoverBatch) -> None:
        """Raise ConfigError unless the file's loss is one that training can minimize."""
        assert self.file.loss
        with lines_named(self.file.path, ConfigError, FLAG):
            found: object = self.file.loss(self.inner, batch)
        if not is_loss(found):
            parts = found if isinstance(found, tuple | list) else [found]
            raise ConfigError(
                f"loss() of --network-file {self.file.path} returned {' and '.join(map(shown, parts))}; a "
                f"trainer.network.Loss of three single numbers is needed, with a total that depends on "
                f"the weights"
            )

    def _try_copies(self, batch: MoverBatch) -> None:
        """Raise ConfigError unless the module can be copied, also while it trains: copies are averaged and exported."""
        trial = self._copy_of(self.inner)
        with lines_named(self.file.path, ConfigError, FLAG):
            if self.file.loss:
                self.file.loss(trial, batch)
            else:
                trial(batch.view)
        self._copy_of(trial)

    def _copy_of(self, module: nn.Module) -> nn.Module:
        """A copy of the file's module. Raises ConfigError if it can't be copied."""
        try:
            return copy.deepcopy(module)
        except Exception as error:  # whatever copying somebody's module raises
            raise ConfigError(
                f"the network of --network-file {self.file.path} can't be copied ({first_line(error)}); keep no tensors "
                f"that training computes as attributes of a module, or detach them; for a weight norm use "
                f"torch.nn.utils.parametrizations.weight_norm"
            ) from error


def is_loss(found: object) -> bool:
    """Whether it is a loss that training can minimize."""
    return (
        isinstance(found, Loss)
        and all(isinstance(part, Tensor) and part.shape == () and part.is_floating_point() for part in found)
        and found.total.requires_grad
    )


def shown(answer: object) -> str:
    """The type and the shape of a tensor, in words."""
    if not isinstance(answer, Tensor):
        return f"a {type(answer).__name__}"
    return f"{str(answer.dtype).removeprefix('torch.')} {list(answer.shape)}"
