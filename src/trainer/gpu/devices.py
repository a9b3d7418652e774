"""Which device to use, and what is wrong with one that can't be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from trainer.core.errors import ConfigError, DeviceError, first_line


@dataclass(frozen=True)
class DeviceChoice:
    """A device, and why it was chosen."""

    device: torch.device
    reason: str
    """In a few words, such as "NVIDIA H100, 80 GB"."""


def choose(name: str) -> DeviceChoice:
    """The device for `auto`, `cpu`, `cuda` or `mps`. Raises ConfigError if one that is named can't be used here."""
    if name == "cpu":
        return DeviceChoice(torch.device("cpu"), "as asked for")
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ConfigError(
                "--device mps needs a Mac with Apple silicon, and this machine isn't one; give auto or cpu"
            )
        return DeviceChoice(torch.device("mps"), "Apple silicon")
    problem = problem_with_cuda()
    if problem is None:
        card = torch.cuda.get_device_properties(0)
        return DeviceChoice(torch.device("cuda"), f"{card.name}, {card.total_memory / 1e9:.0f} GB")
    if name == "cuda":
        raise ConfigError(f"--device cuda can't be used: {problem}; give auto or cpu to go on without a GPU")
    if torch.backends.mps.is_available():
        return DeviceChoice(torch.device("mps"), "Apple silicon")
    return DeviceChoice(torch.device("cpu"), problem)


def problem_with_cuda() -> str | None:
    """Why the first NVIDIA GPU can't be used; None if it can. A small computation is tried on it."""
    if torch.version.cuda is None:
        return f"this torch ({torch.__version__}) was built without CUDA"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]  # is_available() wouldn't say what is wrong
    except (RuntimeError, AssertionError, torch.cuda.DeferredCudaCallError) as error:
        return f"torch finds no GPU that works ({reason_of(error)}; see nvidia-smi)"
    try:
        with errors_named("the first computation"):
            major, minor = torch.cuda.get_device_capability(0)
            if not supported(f"sm_{major}{minor}", torch.cuda.get_arch_list()):
                known = " ".join(torch.cuda.get_arch_list())
                return (
                    f"{torch.cuda.get_device_name(0)} has the architecture sm_{major}{minor}, and this torch "
                    f"({torch.__version__}) knows {known} only"
                )
            torch.ones(8, device="cuda").sum().item()
    except DeviceError as error:
        return str(error)
    return None


def supported(architecture: str, known: list[str]) -> bool:
    """Whether code for one of the `known` architectures runs on this one, such as sm_90."""
    return any(runs_on(code, int(architecture.removeprefix("sm_"))) for code in known)


def runs_on(code: str, number: int) -> bool:
    """Whether code for an architecture such as sm_80 or compute_90 runs on the one with this number.

    `sm_` runs on later ones of the same major version, and `compute_` is translated for any later one. With an "a" at its
    end it is for one architecture alone, with an "f" for later ones of the same major version.
    """
    match = re.fullmatch(r"(sm|compute)_(\d+)([af]?)", code)
    if match is None:
        return False
    kind, made_for, suffix = match[1], int(match[2]), match[3]
    if suffix == "a" or made_for > number:
        return made_for == number
    return made_for // 10 == number // 10 or (kind == "compute" and not suffix)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device is an NVIDIA GPU that computes in bfloat16: of 2020 (Ampere) or later. Others only imitate it."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


@contextmanager
def errors_named(what: str) -> Iterator[None]:
    """Turn what torch raises when a device fails during `what` into a DeviceError. Other errors pass."""
    try:
        yield
    except RuntimeError as error:
        if not is_of_device(error):
            raise
        if is_full(error):
            raise DeviceError(
                f"the memory of the GPU is full during {what} ({reason_of(error)}); let it do less at a time with fewer "
                f"--games or --threads or a smaller --batch-size, or end what else uses the GPU; --resume goes on with the "
                f"run"
            ) from error
        raise DeviceError(
            f"the GPU failed during {what} ({reason_of(error)}); this process can't use it any more: start again, with "
            f"--resume if it is a run, and look at nvidia-smi if it happens again"
        ) from error


NO_ENGINE = re.compile("unable to find an engine|valid cuDNN algorithm", re.IGNORECASE)
"""What torch says of a convolution for which cuDNN has no kernel, or none whose workspace still fits into the memory."""


def is_of_device(error: RuntimeError) -> bool:
    """Whether an error of torch came from the device or its libraries."""
    named = isinstance(error, torch.OutOfMemoryError) or type(error).__name__ == "AcceleratorError"  # since torch 2.8
    known = re.search(r"CUDA error|CUDA driver|cuDNN error|cuBLAS|CUBLAS|NVML|MPS backend", str(error))
    return named or bool(known) or bool(NO_ENGINE.search(str(error)))


def is_full(error: RuntimeError) -> bool:
    """Whether there was no memory left. torch has a class of its own for that, but its libraries and CUDA only say it."""
    return isinstance(error, torch.OutOfMemoryError) or bool(re.search(r"out of memory|ALLOC_FAILED", str(error)))


def reason_of(error: BaseException) -> str:
    """The first line of an error's text, without a final stop. If a graph couldn't be captured, the error that broke the
    capture says why; the one that torch raises at its end does not."""
    while "captur" in str(error) and error.__context__ is not None:
        error = error.__context__
    hint = "; its memory may be full" if NO_ENGINE.search(str(error)) else ""
    return first_line(error).rstrip(".") + hint
