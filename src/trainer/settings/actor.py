"""The settings of an actor: the flags of `python -m trainer.actor`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.settings.base import DEFAULT_GAME, REPLAY_FILE
from trainer.settings.groups.self_play import SelfPlaySettings
from trainer.settings.validation import LogLevel, require, require_seed


@dataclass(frozen=True)
class ActorConfig(SelfPlaySettings):
    """Play games with the newest model and store them in the replay database, until stopped."""

    env_id: str = DEFAULT_GAME
    """Game to play."""
    replay_db_path: Path | None = None
    """Replay database to write to; created if missing. None: replay.db in --data-dir."""
    data_dir: Path = Path("../data")
    """Folder of the run: models are read from its `models`, and `actor_stats.json` is written into it."""
    max_episodes: int = -1
    """Number of games after which to stop, abandoned ones included; -1: never."""
    wait_for_model: bool = False
    """Wait while there is no model, instead of playing random moves."""
    seed: int | None = None
    """Seed of the games for a given sequence of models; None: different games at each start. Two actors with one seed need
    different --actor-id, or they play the same games."""
    log_level: LogLevel = "INFO"
    """Least severe messages to show on standard error."""

    @property
    def replay(self) -> Path:
        """The replay database to write to."""
        return self.replay_db_path or self.data_dir / REPLAY_FILE

    def check(self) -> None:
        """Raise ConfigError for a value that can't work."""
        super().check()
        require(
            self.max_episodes >= -1, f"--max-episodes is {self.max_episodes}; give -1 (no end) or a number of games"
        )
        require_seed(self.seed or 0)
