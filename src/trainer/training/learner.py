"""The network and its optimizer."""

from __future__ import annotations

import copy
from typing import Any

import torch

from trainer.core.errors import CheckpointError, ConfigError
from trainer.network import Loss, PolicyValueNet
from trainer.replay import Batch
from trainer.settings.trainer import TrainerConfig
from trainer.training.adamw import Descent
from trainer.training.gradient import can_differentiate


class Learner:
    """One gradient step at a time."""

    def __init__(self, network: PolicyValueNet, config: TrainerConfig) -> None:
        self.network = network
        self.published = copy.deepcopy(network) if config.average else network
        """The network that actors get: `network`, or the moving average of its weights."""
        self._average = config.average
        self._steps = 0
        self._device = next(network.parameters()).device
        self._grad_clip = config.grad_clip
        self._optimizer = torch.optim.AdamW(
            network.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=self._device.type != "mps"
        )
        self._descent = Descent(network, self._optimizer, config.grad_clip) if can_differentiate(network) else None

    def learn(self, batch: Batch, learning_rate: float) -> Loss:
        """One step of AdamW down the gradient of `alphazero_loss`, its norm clipped; returns the loss before it."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        loss = self._descent.step(batch) if self._descent else self._step(batch)
        self._steps += 1
        if self._average:
            self._move_average()
        return loss

    def _step(self, batch: Batch) -> Loss:
        """The step by autograd, for any network on any device."""
        observation, legal, visits, outcome = (
            torch.from_numpy(part).to(self._device)
            for part in (batch.observation, batch.legal, batch.visits, batch.outcome)
        )
        loss = self.network.loss(observation, legal, visits, outcome)
        self._optimizer.zero_grad()
        loss.total.backward()  # type: ignore[no-untyped-call]
        if self._grad_clip > 0:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._grad_clip)
        self._optimizer.step()
        return loss

    @property
    def finite(self) -> bool:
        """No weight, of the network or of what is published, is NaN or infinite."""
        weights = [*self.network.parameters(), *self.published.parameters()]
        return all(bool(weight.isfinite().all()) for weight in weights)

    def state(self) -> dict[str, Any]:
        """Everything that decides the next step, as tensors and numbers."""
        return {
            "steps": self._steps,
            "network": self.network.state_dict(),
            "published": self.published.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from an earlier `state`. Raises CheckpointError where it is of another network."""
        try:
            self.network.load_state_dict(state["network"])
            if self._average:  # else it is `network`, which need not be what an earlier run published
                self.published.load_state_dict(state["published"])
            settings = [
                {key: group[key] for key in ("weight_decay", "fused")} for group in self._optimizer.param_groups
            ]
            self._optimizer.load_state_dict(state["optimizer"])
            for group, ours in zip(self._optimizer.param_groups, settings, strict=True):
                group.update(ours)
            if self._descent:
                self._descent.adopt_state()
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"the checkpoint is of another network: {' '.join(str(error).split())}") from error
        self._steps = state["steps"]

    @torch.no_grad()
    def _move_average(self) -> None:
        """Exponential moving average of the weights; at first over a tenth of the steps, for early weights are far off."""
        share = max(1 - self._average, 10 / (10 + self._steps))
        torch._foreach_lerp_(list(self.published.parameters()), list(self.network.parameters()), share)


def device_of(name: str) -> torch.device:
    """The device, or ConfigError where this machine has none of that kind."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[name]:
        found = ", ".join(kind for kind, there in available.items() if there)
        raise ConfigError(f"--device {name} is not available here; choose one of {found}")
    if name == "cpu":
        torch.set_num_threads(1)  # small networks are as fast on one thread, and the other cores are the actors'
    return torch.device(name)
