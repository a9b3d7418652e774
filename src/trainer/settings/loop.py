"""The settings of the loop: those of trainer and actor, and what the loop itself adds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.core.processes import available_cores
from trainer.settings.cluster import ClusterSettings
from trainer.settings.groups.learning import LearningSettings
from trainer.settings.groups.run import RunSettings
from trainer.settings.groups.self_play import SelfPlaySettings
from trainer.settings.validation import require
from trainer.settings.web import WebConfig, require_address


@dataclass(frozen=True)
class LoopConfig(ClusterSettings, SelfPlaySettings, LearningSettings, RunSettings):
    """Learn a game from scratch: self-play, training and evaluation together, until the steps or minutes are done.

    The defaults shown are those of the game's recipe; --env-id with --help shows those of another game.
    """

    data_dir: Path | None = None
    """Folder of the run; None: data/<env_id>."""
    web: bool = False
    """Also serve the page, to watch the run and play against its newest model (as python -m trainer.web does)."""
    web_host: str = WebConfig.host
    """With --web: address that the page listens on; 0.0.0.0 lets other machines in."""
    web_port: int = WebConfig.port
    """With --web: port of the page."""

    # Where the loop's default differs from that of a single command:
    steps: int | None = None
    threads: int = available_cores()
    replay_window: int | None = 1_000_000
    max_checkpoints: int = 32
    spread_checkpoints: bool = True
    log_interval: int = 100
    wait_interval: float = 0.2
    max_wait: float = 0.0

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        RunSettings.check(self)
        LearningSettings.check(self)
        SelfPlaySettings.check(self)
        ClusterSettings.check(self)
        require_address(self.web_host, "--web-host")
        port = self.web_port
        require(0 < port <= 65535, f"--web-port is {port}; give a number from 1 to 65535")

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.data_dir or Path("data") / self.env_id
