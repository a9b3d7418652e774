"""The settings of a training run: the flags of `python -m trainer`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.network import Family, ValueHead
from trainer.settings.validation import LogLevel, require, require_seed
from trainer.training.publish import Kept


@dataclass(frozen=True)
class TrainerConfig:
    """Train a policy-value network on the games of a replay database and publish it as ONNX models."""

    db: Path = Path("../data/replay.db")
    """SQLite replay database to train on."""
    model_dir: Path = Path("../data/models")
    """Folder for the models; `latest.onnx` is the newest."""
    stats: Path = Path("../data/stats.json")
    """Statistics file, replaced while training."""
    env_id: str = "tictactoe"
    """The game whose rows are used."""
    steps: int = 1000
    """Training steps."""
    batch_size: int = 64
    """Rows of a step."""
    lr: float = 0.001
    """Learning rate at the start."""
    weight_decay: float = 0.0001
    """L2 regularization (AdamW)."""
    grad_clip: float = 1.0
    """Largest norm of the gradient; 0 turns clipping off."""
    lr_schedule: bool = True
    """Anneal the learning rate along a cosine."""
    lr_min_ratio: float = 0.1
    """Learning rate at the end, as a share of `lr`."""
    checkpoint_interval: int = 100
    """Steps between two published models."""
    max_checkpoints: int = 10
    """Newest models to keep."""
    spread_checkpoints: bool = False
    """Keep as many, but spread evenly over the run, the newest among them."""
    stats_interval: int = 10
    """Steps between two writes of the statistics."""
    log_interval: int = 10
    """Steps between two lines of the log."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Where to train."""
    wait_interval: float = 2.0
    """Seconds between two looks for a database with enough rows."""
    max_wait: float = 300.0
    """Seconds to wait for it; 0 waits for ever."""
    minutes: float | None = None
    """End after so many minutes, if the steps are not done by then; the schedule follows whichever is further."""
    network: Family = "mlp"
    """Family of the network: mlp; conv, a convolutional stem before it; residual, a tower of convolutions, for GPUs."""
    width: int | None = None
    """Size of the network: features of an mlp's first layer (its second has half), filters and features of a conv, four
    times the filters of a residual; None: 128, 256 or 512, by the size of the board (conv: 256 at most)."""
    value_head: ValueHead = "scalar"
    """What the network says of the result: its expectation, or wdl, the chances of win, draw and loss."""
    q_weight: float = 0.0
    """Share of the search's value in the value target; the rest is the game's result."""
    average: float = 0.0
    """Publish an average of the weights over about 1 / (1 - average) steps instead of the newest; 0 = the newest."""
    passes: float | None = None
    """Draw each stored row about so many times, then wait for new ones; None: never wait."""
    window: int | None = None
    """Draw from the newest rows only: from so many at first, from a growing number as more come; None: from all."""
    merge_repeats: bool = False
    """Draw the n rows that have the same position as often as 1 + log2 n others, not as n."""
    publish_first: bool = False
    """Publish the untrained network at once, so that actors can search from the start."""
    skip_bad_rows: bool = False
    """Pass over rows that are damaged, counting and reporting them, instead of stopping at the first."""
    resume: bool = False
    """Go on from the newest checkpoint in the model folder; `steps` is then the total."""
    tensorboard: Path | None = None
    """Also write the losses for TensorBoard into this folder; None: don't."""
    seed: int = 0
    """Fixes the first weights and the rows that are drawn."""
    log_level: LogLevel = "INFO"
    """What to report on standard error."""

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        for name in ("steps", "batch_size", "checkpoint_interval", "max_checkpoints", "stats_interval", "log_interval"):
            value = getattr(self, name)
            require(value >= 1, f"--{name.replace('_', '-')} is {value}; at least 1 is needed")
        require(math.isfinite(self.lr) and self.lr > 0, f"--lr is {self.lr}; a number above 0 is needed")
        require(0 <= self.lr_min_ratio <= 1, f"--lr-min-ratio is {self.lr_min_ratio}; give a number from 0 to 1")
        for name in ("weight_decay", "grad_clip", "max_wait"):
            value = getattr(self, name)
            require(value >= 0, f"--{name.replace('_', '-')} is {value}; 0 or more is needed")
        wait = self.wait_interval
        require(math.isfinite(wait) and wait > 0, f"--wait-interval is {wait}; a number above 0 is needed")
        require(self.width is None or self.width >= 1, f"--width is {self.width}; at least 1 is needed")
        require(0 <= self.q_weight <= 1, f"--q-weight is {self.q_weight}; give a number from 0 to 1")
        require(0 <= self.average < 1, f"--average is {self.average}; give a number from 0 up to, not including, 1")
        require(self.minutes is None or self.minutes > 0, f"--minutes is {self.minutes}; a number above 0 is needed")
        require(self.passes is None or self.passes > 0, f"--passes is {self.passes}; a number above 0 is needed")
        require(self.window is None or self.window >= 1, f"--window is {self.window}; at least 1 is needed")
        require_seed(self.seed)

    @property
    def kept(self) -> Kept:
        """Which of the models stay."""
        return Kept(self.max_checkpoints, self.checkpoint_interval if self.spread_checkpoints else None)
