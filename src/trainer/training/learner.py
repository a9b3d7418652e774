"""The network and its optimizer."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from trainer.core.errors import CheckpointError
from trainer.core.processes import available_cores
from trainer.core.signals import started_by_loop
from trainer.gpu.devices import is_of_device
from trainer.network import CustomNetwork, Loss, MoverNetwork, PolicyValueNetwork
from trainer.replay import Batch, PackedBatch
from trainer.settings.groups.network import Activation, NetworkSettings
from trainer.settings.trainer import TrainerConfig
from trainer.training.steps.adamw import MOMENTS, AdamWSteps
from trainer.training.steps.device_batches import Unpacker
from trainer.training.steps.device_steps import DeviceSteps
from trainer.training.steps.gradient import can_differentiate
from trainer.training.steps.torch_steps import Steps, TorchSteps


@contextmanager
def tuned_torch(device: torch.device, config: TrainerConfig) -> Iterator[None]:
    """Set what torch has once per process while the block runs: its threads, the seed of its random numbers, and how it
    computes on a GPU. A GPU's random numbers are not set back.

    Our kernels compute on one thread, and in a loop the actor uses the other cores, also if the network learns on a GPU.
    Elsewhere torch has all of them.
    """
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    benchmark, precision = torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision()
    by_kernels = device.type == "cpu" and config.network != "residual" and config.network_file is None
    torch.set_num_threads(1 if by_kernels or started_by_loop() else available_cores())
    torch.manual_seed(config.seed)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True  # batches have one size: let cuDNN time its algorithms once
        torch.set_float32_matmul_precision("high")  # products of what isn't computed in bfloat16
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(random)
        torch.backends.cudnn.benchmark = benchmark
        torch.set_float32_matmul_precision(precision)


class Learner:
    """Trains a network, one gradient step at a time."""

    def __init__(self, network: MoverNetwork, config: TrainerConfig, unpacker: Unpacker | None = None) -> None:
        """`unpacker`: unpacks the batches on the network's device; None: they come unpacked."""
        self._device = next(network.parameters()).device
        captured = self._device.type == "cuda"
        if captured and isinstance(network, PolicyValueNetwork):  # as its convolutions read them, see `Slot`
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network
        self._published = copy.deepcopy(network).eval() if config.average else network
        # Running means of a custom network's batch normalization, which the optimizer doesn't update.
        own = config.average and isinstance(network, CustomNetwork)
        self._measured = list(zip(self._published.buffers(), network.buffers(), strict=True)) if own else []
        self._average = config.average
        self._folder = config.model_dir
        self._steps = 0
        self._optimizer = torch.optim.AdamW(
            network.parameters(),
            # A graph reads the rate from the device.
            lr=torch.tensor(config.lr, device=self._device) if captured else config.lr,
            weight_decay=config.weight_decay,
            fused=self._device.type != "mps",
            capturable=captured,
        )
        self.steps = self._steps_by(config.grad_clip, unpacker)
        """What takes the steps."""

    def _steps_by(self, grad_clip: float, unpacker: Unpacker | None) -> Steps[Any]:
        """On a device, by our own kernels if there are some for the network, or by autograd."""
        network, published, optimizer = self._network, self._published, self._optimizer
        if unpacker is not None:
            return DeviceSteps(network, published, optimizer, grad_clip, unpacker)
        if can_differentiate(network) and can_differentiate(published):
            return AdamWSteps(network, optimizer, grad_clip, published if self._average else None)
        return TorchSteps(network, published, optimizer, grad_clip)

    @property
    def packed(self) -> bool:
        """Whether batches are to be packed, and losses stay on the device; see `Steps`."""
        return self.steps.packed

    @property
    def network(self) -> MoverNetwork:
        """The network, with its newest weights. Ask again after each `learn`, which may leave those of this object alone."""
        self.steps.write_back()
        return self._network

    @property
    def published(self) -> MoverNetwork:
        """The network that is published for actors: `network` itself, or a copy with the moving average of its weights.

        Ask again after each `learn`, as for `network`.
        """
        self.steps.write_back()
        return self._published

    def prepare(self, rows: int) -> None:
        """Do ahead what the first step would do: compile, and allocate memory for batches of this size."""
        self.steps.prepare(rows)

    def learn(self, batch: Batch | PackedBatch, learning_rate: float) -> Loss:
        """One step of AdamW along the gradient of the network's loss, its norm clipped; returns the loss before the step.

        The batch is packed if the learner says so, and not otherwise.
        """
        for group in self._optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(learning_rate)
            else:
                group["lr"] = learning_rate
        loss = self.steps.step(batch)
        self._steps += 1
        if self._average:
            self._move_average()
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
            for weight, moments in self._optimizer.state.items():
                moments["step"] = moments["step"].to(counts_on)
                for name in MOMENTS:  # in memory they must lie as the weights do, or the fused step mixes them up
                    moments[name] = torch.empty_like(weight).copy_(moments[name])
            self.steps.adopt()
        except (RuntimeError, ValueError, KeyError) as error:
            if isinstance(error, RuntimeError) and is_of_device(error):
                raise
            raise CheckpointError(
                f"the checkpoint in {self._folder} is of another network: {' '.join(str(error).split())}; give the flags "
                "that the run was started with, or start a new run without --resume"
            ) from error
        self._steps = state["steps"]
        for kind, numbers in state.get("random", {}).items():
            if kind == "cpu":
                torch.set_rng_state(numbers)
            elif kind == self._device.type:
                torch.cuda.set_rng_state(numbers, self._device)

    def _random_state(self) -> dict[str, torch.Tensor]:
        """The state of torch's random numbers, which a custom network draws for dropout, by kind of device."""
        found = {"cpu": torch.get_rng_state()}
        return found | ({"cuda": torch.cuda.get_rng_state(self._device)} if self._device.type == "cuda" else {})

    @torch.no_grad()
    def _move_average(self) -> None:
        """Update the moving average of the weights. At first it spans a tenth of the steps: early weights are far off.

        Buffers of floating-point numbers are averaged, too: the running means of a batch normalization belong to the weights
        that they were measured with. Other buffers are copied.
        """
        share = max(1 - self._average, 10 / (10 + self._steps))
        self.steps.move_average(share)
        for theirs, ours in self._measured:
            if ours.is_floating_point():
                moved = theirs.lerp(ours, share)
                theirs.copy_(torch.where(moved.isnan(), ours, moved))  # NaN: -inf, as in a mask, has no middle
            else:
                theirs.copy_(ours)


def activation_of(network: MoverNetwork) -> Activation:
    """What follows each layer of a network of this package. A custom network has no such setting: the default."""
    return network.settings.activation if isinstance(network, PolicyValueNetwork) else NetworkSettings.activation
