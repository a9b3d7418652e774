"""The evaluators that a device allows. torch is imported only if a device other than the CPU is asked for."""

from __future__ import annotations

import logging

from trainer.evaluators.acceleration import Acceleration, Accelerator
from trainer.evaluators.loader import ModelLoader
from trainer.settings.groups.device import DeviceSettings, EvaluationSettings

log = logging.getLogger(__name__)

BATCH = 256
"""Positions of a batch where nobody says how many games are played side by side."""


def means_gpu(device: str) -> bool:
    """Whether this `--device` means an NVIDIA GPU here. With `auto`, torch is asked."""
    if device == "auto":
        from trainer.gpu.devices import choose

        return choose(device).device.type == "cuda"
    return device == "cuda"


def reason_for(device: str) -> str:
    """Why this `--device` means what it means here, in a few words: what is wrong with the GPU if `auto` takes the CPU."""
    from trainer.gpu.devices import choose

    return choose(device).reason


def require_device(settings: DeviceSettings) -> None:
    """Raise ConfigError if the device of the settings can't be used."""
    if settings.device != "cpu":
        from trainer.gpu.devices import choose

        choose(settings.device)


def accelerators(env_id: str, settings: EvaluationSettings, capacity: int = BATCH) -> list[Accelerator]:
    """What evaluates models of a game on the device of the settings; nothing for the CPU.

    `capacity`: the positions of a batch. Raises ConfigError if the device can't be used. With `auto` the choice is logged.
    """
    if settings.device == "cpu":
        return []
    from trainer.gpu.devices import choose
    from trainer.gpu.evaluator import TorchAccelerator
    from trainer.network import NetworkFile

    choice = choose(settings.device)
    used = choice.device if choice.device.type == "cuda" else None
    if settings.device == "auto":
        log.info("evaluating networks on %s (%s)", "cuda" if used else "the CPU", choice.reason)
    if used is None:
        return []
    # A network that is too coarse in 16 bits still plays on the device.
    precisions = dict.fromkeys((settings.precision, "fp32"))
    file = NetworkFile(settings.network_file) if settings.network_file else None
    return [TorchAccelerator(env_id, used, precision, capacity, file=file) for precision in precisions]


def loader_for(env_id: str, settings: EvaluationSettings) -> ModelLoader:
    """What makes the evaluators of a game's models on the device of the settings. Raises as `accelerators` does."""
    found = accelerators(env_id, settings)
    return ModelLoader(env_id, Acceleration(env_id, *found) if found else None)
