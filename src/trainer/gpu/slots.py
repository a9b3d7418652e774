"""Networks on a device that are used again for later models, so that a new model costs one copy of its weights.

A thread may evaluate a batch while a newer model arrives. So a network is only overwritten once no evaluator refers to it:
no batch ever sees the weights of two models.
"""

from __future__ import annotations

import weakref
from threading import Lock, local

import torch

from trainer.export.stored import CustomKind, Weights, empty_network, fill
from trainer.games.base import Game
from trainer.gpu.devices import errors_named
from trainer.gpu.launchers import CAPTURING, Launcher, MakeLauncher
from trainer.network import NetworkSettings


class Slot:
    """One network on the device, and a launcher for each thread."""

    def __init__(
        self, kind: NetworkSettings | CustomKind, game: Game, device: torch.device, kept_as: torch.dtype
    ) -> None:
        self.kind = kind
        network = empty_network(kind, game).to(device, kept_as).eval().requires_grad_(False)
        if isinstance(kind, NetworkSettings):
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = network
        self._own = local()

    def launcher(self, make: MakeLauncher, capacity: int, obs_size: int, num_actions: int) -> Launcher:
        """The launcher of the calling thread."""
        if not hasattr(self._own, "launcher"):
            self._own.launcher = make(self.network, capacity, obs_size, num_actions)
        launcher: Launcher = self._own.launcher
        return launcher


class Slots:
    """The slots of one game on one device. Several threads may use it."""

    def __init__(self, game: Game, device: torch.device, kept_as: torch.dtype) -> None:
        """`kept_as`: the type of the weights, in which the network computes."""
        self._game = game
        self._device = device
        self._kept_as = kept_as
        self._lock = Lock()
        self._free: list[Slot] = []
        self.made = 0
        """How many slots there are, in use or not."""

    def take(self, weights: Weights, kind: NetworkSettings | CustomKind, user: object) -> Slot:
        """A slot with these weights, which is free again once `user` is gone.

        Raises ModelError if they don't fit, DeviceError if the device fails.
        """
        with self._lock:
            found = next((slot for slot in self._free if slot.kind == kind), None)
            if found:
                self._free.remove(found)
        with errors_named("the loading of a model"), CAPTURING:
            if found is None:
                found = Slot(kind, self._game, self._device, self._kept_as)
                with self._lock:
                    self.made += 1
            weakref.finalize(user, self._free.append, found)
            fill(found.network, weights)
            if self._device.type == "cuda":  # launchers run on streams of their own
                torch.cuda.synchronize()
        return found
