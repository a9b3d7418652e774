"""The network and its optimizer."""

from __future__ import annotations

import copy
from typing import Any

import torch

from trainer.core.errors import CheckpointError
from trainer.gpu.devices import is_of_device
from trainer.network import Loss, MoverNetwork, PolicyValueNetwork
from trainer.replay import Batch, PackedBatch
from trainer.settings.groups.network import Activation, NetworkSettings
from trainer.settings.trainer import TrainerConfig
from trainer.training.steps.adamw import AdamWSteps
from trainer.training.steps.device_batches import Unpacker
from trainer.training.steps.device_steps import DeviceSteps, descend
from trainer.training.steps.gradient import can_differentiate


class Learner:
    """Trains a network, one gradient step at a time."""

    def __init__(self, network: MoverNetwork, config: TrainerConfig, unpacker: Unpacker | None = None) -> None:
        """`unpacker`: unpacks the batches on the network's device; None: they come unpacked."""
        self._network = network
        self._published = copy.deepcopy(network).eval() if config.average else network
        # Of a network of one's own with batch normalization: running means, which no optimizer changes.
        self._measured = [
            (theirs, ours)
            for theirs, ours in zip(self._published.buffers(), network.buffers(), strict=True)
            if config.average and ours.is_floating_point()
        ]
        self._average = config.average
        self._steps = 0
        self._device = next(network.parameters()).device
        self._grad_clip = config.grad_clip
        captured = self._device.type == "cuda"
        self._optimizer = torch.optim.AdamW(
            network.parameters(),
            # A graph reads the rate from the device.
            lr=torch.tensor(config.lr, device=self._device) if captured else config.lr,
            weight_decay=config.weight_decay,
            fused=self._device.type != "mps",
            capturable=captured,
        )
        self.kernel_steps = (
            AdamWSteps(network, self._optimizer, config.grad_clip, self._published if config.average else None)
            if can_differentiate(network) and can_differentiate(self._published)
            else None
        )
        """Steps by our own kernels; None: by autograd."""
        self.device_steps = (
            DeviceSteps(network, self._optimizer, config.grad_clip, unpacker) if unpacker is not None else None
        )
        """Steps with batches that are unpacked on the device; None: with those of the CPU."""

    @property
    def network(self) -> MoverNetwork:
        """The network, with its newest weights."""
        self.write_back()
        return self._network

    @property
    def published(self) -> MoverNetwork:
        """The network that is published for actors: `network` itself, or a copy with the moving average of its weights."""
        self.write_back()
        return self._published

    def write_back(self) -> None:
        """Write the newest weights into the networks, and the optimizer's state: our own kernels keep them elsewhere."""
        if self.kernel_steps:
            self.kernel_steps.write_back()

    def prepare(self, rows: int) -> None:
        """Do ahead what the first step would do: compile, and allocate memory for batches of so many rows."""
        if self.kernel_steps:
            self.kernel_steps.loss_gradient.prepare(rows)

    def learn(self, batch: Batch | PackedBatch, learning_rate: float) -> Loss:
        """One step of AdamW along the gradient of `alphazero_loss`, its norm clipped; returns the loss before the step.

        A packed batch is for a learner with an unpacker, and only for such a one.
        """
        for group in self._optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(learning_rate)
            else:
                group["lr"] = learning_rate
        if isinstance(batch, PackedBatch):
            assert self.device_steps is not None
            loss = self.device_steps.step(batch)
        else:
            loss = self.kernel_steps.step(batch) if self.kernel_steps else self._autograd_step(batch)
        self._steps += 1
        if self._average:
            self._move_average()
        return loss

    def _autograd_step(self, batch: Batch) -> Loss:
        """The same step by autograd, for any network on any device."""
        observation, legal, visits, outcome = (
            torch.from_numpy(part).to(self._device)
            for part in (batch.observation, batch.legal, batch.visits, batch.outcome)
        )
        loss = self._network.loss(observation, legal, visits, outcome)
        descend(loss, self._network, self._optimizer, self._grad_clip)
        return loss

    @property
    def finite(self) -> bool:
        """Whether every weight, of the network and of the published one, is finite."""
        weights = [*self.network.parameters(), *self.published.parameters()]
        return all(bool(weight.isfinite().all()) for weight in weights)

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on, as tensors and numbers."""
        return {
            "steps": self._steps,
            "activation": activation_of(self._network),
            "network": self.network.state_dict(),
            "published": self.published.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "random": self._random_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from an earlier `state`. Raises CheckpointError if it belongs to another network."""
        try:
            made, own = state.get("activation", NetworkSettings.activation), activation_of(self._network)
            if made != own:  # the weights have the same names and shapes
                raise ValueError(f"its --activation is {made}, not {own}")
            self._network.load_state_dict(state["network"])
            if self._average:  # else it is `network`, whatever the earlier run published
                self._published.load_state_dict(state["published"])
            kept = ("lr", "weight_decay", "fused", "capturable")
            settings = [{key: group[key] for key in kept} for group in self._optimizer.param_groups]
            self._optimizer.load_state_dict(state["optimizer"])
            for group, ours in zip(self._optimizer.param_groups, settings, strict=True):
                group.update(ours)
            # A captured step counts on the device. Elsewhere torch reads the numbers, which would wait for the device.
            counts_on = self._device if self._device.type == "cuda" else torch.device("cpu")
            for moments in self._optimizer.state.values():
                moments["step"] = moments["step"].to(counts_on)
            if self.kernel_steps:
                self.kernel_steps.adopt()
        except (RuntimeError, ValueError, KeyError) as error:
            if isinstance(error, RuntimeError) and is_of_device(error):
                raise
            raise CheckpointError(f"the checkpoint is of another network: {' '.join(str(error).split())}") from error
        self._steps = state["steps"]
        for kind, numbers in state.get("random", {}).items():
            if kind == "cpu":
                torch.set_rng_state(numbers)
            elif kind == self._device.type:
                torch.cuda.set_rng_state(numbers, self._device)

    def _random_state(self) -> dict[str, torch.Tensor]:
        """The state of torch's random numbers, which a network of one's own draws for dropout, by kind of device."""
        found = {"cpu": torch.get_rng_state()}
        return found | ({"cuda": torch.cuda.get_rng_state(self._device)} if self._device.type == "cuda" else {})

    @torch.no_grad()
    def _move_average(self) -> None:
        """Update the moving average of the weights. At first it spans a tenth of the steps: early weights are far off."""
        share = max(1 - self._average, 10 / (10 + self._steps))
        if self.kernel_steps:
            self.kernel_steps.move_average(share)
        else:
            torch._foreach_lerp_(list(self._published.parameters()), list(self._network.parameters()), share)
        for theirs, ours in self._measured:
            theirs.copy_(ours)


def activation_of(network: MoverNetwork) -> Activation:
    """What follows each layer of a network of this package. A network of one's own has no such setting: the default."""
    return network.settings.activation if isinstance(network, PolicyValueNetwork) else NetworkSettings.activation
