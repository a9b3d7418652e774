"""Where networks are trained and evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.settings.base import Settings

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["fp32", "fp16", "bf16"]


@dataclass(frozen=True)
class DeviceSettings(Settings):
    """Which device computes."""

    device: Device = "cpu"
    """What trains and evaluates networks: cpu, cuda (an NVIDIA GPU), mps (an Apple GPU, which only trains), or auto: a GPU
    if one works here."""
    network_file: Path | None = None
    """A Python file with a network of your own (docs/own-network.md). Training uses it in place of --network.
    Commands that evaluate its models need it only with --device cuda."""


@dataclass(frozen=True)
class EvaluationSettings(DeviceSettings):
    """Which device evaluates networks, and how exactly."""

    precision: Precision = "fp16"
    """With --device cuda: the numbers with which networks are evaluated. fp16 is fastest, fp32 most exact; models whose
    answers differ too much from ONNX Runtime's are evaluated in fp32, or else on the CPU."""
