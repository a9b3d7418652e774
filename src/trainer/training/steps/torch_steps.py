"""Steps of AdamW by autograd, for any network on any device."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar

import torch

from trainer.network import Loss, MoverNetwork
from trainer.replay import Batch

Drawn = TypeVar("Drawn", contravariant=True)


class Steps(Protocol[Drawn]):
    """What takes the steps of a training: the gradient, the optimizer, the moving average of the weights."""

    packed: ClassVar[bool]
    """Whether it takes batches packed, as `ReplayBuffer.sample_packed` draws them, and leaves losses on the device, where
    reading one waits for the step."""

    def prepare(self, rows: int) -> None:
        """Do ahead what the first step would do: compile, and allocate memory for batches of this size."""

    def step(self, batch: Drawn) -> Loss:
        """One step at the optimizer's learning rate, with the gradient's norm clipped; returns the loss before the step."""

    def move_average(self, share: float) -> None:
        """Move the average of the weights by a share of its distance towards the weights."""

    def write_back(self) -> None:
        """Write the newest weights into the networks, and the state into the optimizer, if they are kept elsewhere."""

    def adopt(self) -> None:
        """Go on from the weights of the networks and from the optimizer's state. Call this after they have changed."""


class StepsByTorch:
    """What steps have in common whose weights and optimizer are torch's own."""

    def __init__(
        self, network: MoverNetwork, published: MoverNetwork, optimizer: torch.optim.AdamW, grad_clip: float
    ) -> None:
        """`published` gets the moving average of the weights. `grad_clip`: the largest norm of the gradient; 0 turns
        clipping off."""
        self._network = network
        self._published = published
        self._optimizer = optimizer
        self._grad_clip = grad_clip
        self._device = network.weight.device

    def prepare(self, rows: int) -> None:
        """Nothing has to be done ahead."""

    @torch.no_grad()
    def move_average(self, share: float) -> None:
        """As `Steps` has it."""
        torch._foreach_lerp_(list(self._published.parameters()), list(self._network.parameters()), share)

    def write_back(self) -> None:
        """The networks and the optimizer have the newest state."""

    def adopt(self) -> None:
        """The networks and the optimizer are all there is."""

    def _descend(self, loss: Loss) -> None:
        """One step of the optimizer along the gradient of a loss."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        if self._grad_clip > 0:
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._grad_clip)
        self._optimizer.step()


class TorchSteps(StepsByTorch):
    """AdamW steps along the gradient of `MoverNetwork.loss`, operation by operation."""

    packed: ClassVar[bool] = False

    def step(self, batch: Batch) -> Loss:
        """As `Steps` has it."""
        observation, legal, policy_target, value_target = (
            torch.from_numpy(part).to(self._device)
            for part in (batch.observation, batch.legal, batch.policy_target, batch.value_target)
        )
        loss = self._network.loss(observation, legal, policy_target, value_target)
        self._descend(loss)
        return loss
