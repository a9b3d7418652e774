"""Settings of a network: its family, its size, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.settings.base import Settings, fixed
from trainer.settings.validation import require_at_least

Family = Literal["mlp", "conv", "residual"]
Pooling = Literal["none", "squeeze", "bias"]
Activation = Literal["relu", "squared-relu"]


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """What a network of this package is made of."""

    network: Family = fixed("mlp")
    """Network family: mlp (two hidden layers), conv (a convolutional stem before an mlp), or residual (a tower of
    convolutions, meant for GPUs)."""
    width: int | None = fixed(None)
    """Network size: features of an mlp's first layer (the second has half as many), filters of a conv, four times the
    filters of a residual tower. None: 128 on boards of at most 20 cells, 256 up to 50, and 512 above (conv: at most 256)."""
    units: int | None = fixed(None)
    """Features of a conv's hidden layers. None: as many as filters."""
    blocks: int = fixed(6)
    """Residual blocks of a residual tower."""
    pooling: Pooling = fixed("none")
    """What each block of a residual tower learns from the whole board: squeeze scales its channels (squeeze-and-excitation),
    bias shifts them (global pooling, as in KataGo)."""
    activation: Activation = fixed("relu")
    """What follows each layer: a ReLU (relu), or the square of one (squared-relu; So et al. 2021)."""
    lines: int = fixed(0)
    """Filters of a conv that see a whole row of the board at once; as many again see a whole column. 0: none."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        require_at_least(self, 1, "width", "units", "blocks")
        require_at_least(self, 0, "lines")
