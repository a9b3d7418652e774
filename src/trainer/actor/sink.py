"""Where an actor's games and statistics go."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from trainer.actor.episodes import episodes_of
from trainer.actor.played import PlayedGame
from trainer.game_config import GameConfig
from trainer.games.positions import Positions
from trainer.replay import ReplayWriter
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import write_actor


class GameSink(Protocol):
    """Takes what an actor makes: a database on this machine, or another machine."""

    @property
    def name(self) -> str:
        """What it is, for messages."""

    def first_free_number(self) -> int:
        """The number after the largest of the games that this actor has stored."""

    def store(self, games: Sequence[PlayedGame]) -> None:
        """Store all these games. Raises ReplayUnavailableError if that isn't possible now but may be later.

        Then the same games are given again, and none is stored twice. Any other ReplayError won't pass, and ends the actor.
        """

    def store_statistics(self, statistics: ActorStats) -> None:
        """Publish what the actor did. Raises OSError if that isn't possible now."""

    def close(self) -> None:
        """Release what the sink holds."""


class DatabaseSink:
    """Stores games in a replay database and statistics in a file."""

    def __init__(self, path: Path, game: GameConfig, window: int | None, statistics: Path, actor_id: str) -> None:
        """Open or create the database at `path`; keep about the newest `window` positions, None: all."""
        metadata = game.metadata
        self._writer = ReplayWriter(path, metadata, window, game.stored_rules)
        self._statistics = statistics
        self._actor_id = actor_id
        # So that ids never repeat, even if two actors have one name.
        self._process = f"{actor_id}-{secrets.token_hex(4)}"
        self._positions = Positions(metadata.env_id, 0)
        self.name = f"the replay database {path}"

    def first_free_number(self) -> int:
        """The number after the largest of the games that this actor has stored in the database."""
        return first_free_number(self._writer, self._actor_id)

    def store(self, games: Sequence[PlayedGame]) -> None:
        """Write the games in one transaction."""
        self._writer.write(episodes_of(self._positions, games, lambda number: episode_id(self._process, number)))

    def store_statistics(self, statistics: ActorStats) -> None:
        """Replace this actor's part of the statistics file."""
        write_actor(self._statistics, self._actor_id, statistics)

    def close(self) -> None:
        """Close the database."""
        self._writer.close()


def episode_id(process: str, number: int) -> str:
    """The id of a game. `process` is the actor's name and, after a dash, what tells its process from others of that name."""
    actor_id, _, start = process.rpartition("-")
    return f"{actor_id}-game-{number:09d}-{start}"


def first_free_number(writer: ReplayWriter, actor_id: str) -> int:
    """The number after the largest of the games in a database that an actor of this name has stored."""
    prefix = f"{actor_id}-game-"
    last = writer.last_episode(prefix)
    number = re.match("[0-9]+", last.removeprefix(prefix)) if last else None
    return int(number[0]) + 1 if number else 0
