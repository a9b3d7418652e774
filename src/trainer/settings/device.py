"""The settings of a device: what they share who evaluate networks or train them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.settings.base import Settings

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["fp32", "fp16", "bf16"]


@dataclass(frozen=True)
class DeviceSettings(Settings):
    """Where networks are evaluated and trained."""

    device: Device = "cpu"
    """Where networks are evaluated and trained: cpu, cuda (an NVIDIA GPU), mps (Apple; training only), or auto: a GPU if one
    works here."""
    precision: Precision = "fp16"
    """With --device cuda: the numbers with which networks are evaluated. fp16 is fastest, fp32 most exact; models whose
    answers differ too much from ONNX Runtime's are evaluated on the CPU."""
