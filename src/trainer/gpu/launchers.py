"""Runs a network on batches of one size: eagerly on any device, or as a captured graph on an NVIDIA GPU.

C positions, A actions. A batch always has C positions, so that an answer can't depend on how many there are: the libraries
choose their kernels by the size of a batch, and round differently. Each launcher belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock, local
from typing import Protocol

import torch
from torch import Tensor

from trainer.evaluators.answers import HIGHEST_VALUE, NOT_FINITE, SOUND, TOO_LARGE
from trainer.gpu.devices import errors_named
from trainer.network import MoverNetwork


def answer(network: MoverNetwork, observation: Tensor, legal: Tensor) -> Tensor:
    """float32 [C, A + 2]: the prior over the legal moves, the value, and what is wrong: SOUND, NOT_FINITE or TOO_LARGE.

    observation float32 [C, obs_size], legal bool [C, A]; the network computes in its own type.
    """
    logits, value = network(observation.to(network.weight.dtype))
    logits, value = logits.float(), value.float()
    finite = logits.isfinite().all(dim=1, keepdim=True) & value.isfinite()
    beyond = torch.where(value.abs() <= float(HIGHEST_VALUE), float(SOUND), float(TOO_LARGE))
    fault = torch.where(finite, beyond, float(NOT_FINITE))
    likely = logits.masked_fill(~legal, -torch.inf).softmax(dim=1)
    prior = likely.masked_fill(~legal, 0.0)  # also in a row without a legal move, where softmax is NaN
    return torch.cat([prior, value, fault], dim=1)


class Launcher(Protocol):
    """One thread's means to run one network."""

    observation: Tensor
    """float32 [C, obs_size], on the host: what to evaluate."""
    legal: Tensor
    """bool [C, A], on the host."""
    answers: Tensor
    """float32 [C, A + 2], on the host: as `answer` returns it."""

    def launch(self) -> None:
        """Evaluate what is in `observation` and `legal`; return once `answers` holds the result."""


CAPTURING = Lock()
"""Held while a graph is captured. CUDA allows nobody to wait for the whole device in that time."""
OWN = local()
"""`OWN.stream` is the stream on which a thread evaluates, `OWN.done` the event with which it waits for it."""

MakeLauncher = Callable[[MoverNetwork, int, int, int], Launcher]
"""Makes a launcher of a network for `capacity` positions of `obs_size` numbers and `num_actions` actions."""


class EagerLauncher:
    """Calls the network, operation by operation."""

    def __init__(self, network: MoverNetwork, capacity: int, obs_size: int, num_actions: int) -> None:
        self._network = network
        self._device = network.weight.device
        pinned = self._device.type == "cuda"  # so that copies don't wait
        self.observation = torch.zeros(capacity, obs_size, pin_memory=pinned)
        self.legal = torch.zeros(capacity, num_actions, dtype=torch.bool, pin_memory=pinned)
        self.answers = torch.zeros(capacity, num_actions + 2, pin_memory=pinned)

    @torch.inference_mode()
    def launch(self) -> None:
        """Evaluate, and wait for the answers."""
        with errors_named("an evaluation"), on_own_stream(self._device):
            self.compute()

    def compute(self) -> None:
        """Evaluate on the current stream of the device, without waiting for a GPU."""
        on_device = (part.to(self._device, non_blocking=True) for part in (self.observation, self.legal))
        self.answers.copy_(answer(self._network, *on_device), non_blocking=self._device.type == "cuda")


class GraphLauncher:
    """Replays the network as one CUDA graph, copies included: one launch instead of a hundred.

    Capturing is done once. Later weights are copied into the network, where the graph reads them.
    """

    def __init__(self, network: MoverNetwork, capacity: int, obs_size: int, num_actions: int) -> None:
        # Not inference_mode(): a first capture makes tensors of torch's own, which later captures and replays write to.
        with errors_named("the preparation of an evaluation"), CAPTURING, torch.no_grad():
            eager = EagerLauncher(network, capacity, obs_size, num_actions)
            self.observation, self.legal, self.answers = eager.observation, eager.legal, eager.answers
            self._device = network.weight.device
            stream = capture_stream()
            with torch.cuda.stream(stream):
                for _ in range(2):  # libraries choose their kernels and take their memory before the capture
                    eager.compute()
            stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
                eager.compute()

    def launch(self) -> None:
        """Evaluate, and wait for the answers."""
        with errors_named("an evaluation"), on_own_stream(self._device):
            self._graph.replay()


@cache
def capture_stream() -> torch.cuda.Stream:
    """The only stream on which evaluations are captured.

    torch hands out the same 32 streams again and again for each priority. A stream of another priority is none of those on
    which other threads replay: what they do there would become part of the capture, or break it.
    """
    return torch.cuda.Stream(priority=-1)  # type: ignore[no-untyped-call]


@contextmanager
def on_own_stream(device: torch.device) -> Iterator[None]:
    """Within the block a GPU computes on the calling thread's own stream; at its end, wait until that is done.

    The thread then holds neither Python's lock nor a core. On other devices the copy of the answers waits.
    """
    if device.type != "cuda":
        yield
        return
    if not hasattr(OWN, "stream"):
        OWN.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        OWN.done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    with torch.cuda.stream(OWN.stream):
        yield
        OWN.done.record()
        OWN.done.synchronize()
