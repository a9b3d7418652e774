"""Settings of learning: the targets of the network, the optimizer, and what is published when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.base import fixed
from trainer.settings.groups.device import DeviceSettings
from trainer.settings.groups.network import NetworkSettings
from trainer.settings.validation import require, require_above_0, require_at_least


@dataclass(frozen=True)
class LearningSettings(NetworkSettings, DeviceSettings):
    """How a network learns from stored games."""

    start_from: Path | None = None
    """A model file, or `pretrained`, whose weights a new run begins with; its network must be the same, or a narrower mlp or
    conv (with the same --lines). None: random weights."""
    batch_size: int = fixed(64)
    """Rows per training step."""
    lr: float = fixed(0.001)
    """Initial learning rate."""
    weight_decay: float = fixed(0.0001)
    """Decoupled weight decay (AdamW; Loshchilov and Hutter 2019)."""
    grad_clip: float = fixed(1.0)
    """Maximum norm of the gradient; 0 disables clipping."""
    lr_schedule: bool = fixed(True)
    """Anneal the learning rate along a cosine."""
    lr_min_ratio: float = fixed(0.1)
    """Final learning rate, as a share of --lr."""
    lr_warmup: int = fixed(0)
    """Steps over which a factor on the learning rate rises from 0 to 1. The cosine falls meanwhile, so a short run stays
    below --lr. Large first steps switch off units of a layer with many inputs for good (dying ReLUs)."""
    q_weight: float = fixed(0.0)
    """Share of the search's root value in the value target; the rest is the game's outcome (Willemsen et al. 2021)."""
    average: float = fixed(0.0)
    """Publish an exponential moving average of the weights with this decay: an average over about 1 / (1 - decay)
    steps. 0: publish the current weights."""
    passes: float | None = fixed(None)
    """Sample each stored row about this often, then wait for new rows; None: never wait."""
    merge_repeats: bool = fixed(False)
    """Weight a position seen n times as 1 + log2 n rows (AlphaZero.jl)."""
    checkpoint_interval: int = 100
    """Steps between published models."""
    publish_seconds: float | None = None
    """Seconds between published models, for networks whose steps or exports take long; None: --checkpoint-interval says."""
    max_checkpoints: int = 10
    """Maximum number of models to keep."""
    spread_checkpoints: bool = False
    """Keep models spread evenly over the run, always with the newest, instead of the newest ones only."""
    stats_interval: int = 10
    """Steps between points in the statistics file's history. The file is written at most a few times per second."""
    log_interval: int = 10
    """Steps between lines of the log."""
    wait_interval: float = 2.0
    """Seconds between checks for a database with enough rows."""
    max_wait: float = 300.0
    """Maximum seconds to wait for the database; 0: no limit."""
    skip_bad_rows: bool = False
    """Skip damaged rows, and count and report them, instead of stopping at the first one."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        NetworkSettings.check(self)
        require_at_least(
            self,
            1,
            "batch_size",
            "checkpoint_interval",
            "max_checkpoints",
            "stats_interval",
            "log_interval",
        )
        require_at_least(self, 0, "lr_warmup", "weight_decay", "grad_clip", "max_wait")
        require_above_0(self, "lr", "publish_seconds", "wait_interval", "passes")
        require(0 <= self.lr_min_ratio <= 1, f"--lr-min-ratio is {self.lr_min_ratio}; give a number from 0 to 1")
        require(0 <= self.q_weight <= 1, f"--q-weight is {self.q_weight}; give a number from 0 to 1")
        require(0 <= self.average < 1, f"--average is {self.average}; give a number from 0 up to, but not including, 1")
