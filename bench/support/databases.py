"""Replay databases of any size: random games, written by the actor's own writer."""

from __future__ import annotations

import zlib
from contextlib import closing
from itertools import count, islice
from pathlib import Path

from bench.support.random_games import random_episodes
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import SCHEMA, ReplayWriter

GAMES = 256
"""Games per transaction."""


def make_rows(path: Path, env_id: str, rows: int) -> None:
    """Write at least `rows` positions of random games; the last games are written to their end."""
    games = random_episodes(env_id, count())
    with closing(ReplayWriter(path, metadata_of(game_of(env_id)))) as writer:
        missing = rows
        while missing > 0:
            some = list(islice(games, min(GAMES, 1 + missing // game_of(env_id).max_plies)))
            writer.write(some)
            missing -= sum(map(len, some))


def database(folder: Path, env_id: str, rows: int) -> Path:
    """A database of about `rows` rows in `folder`, made if it is missing; its name contains a hash of the schema."""
    path = folder / f"{env_id}-{rows}-{zlib.crc32(SCHEMA.encode()):08x}.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        make_rows(unfinished, env_id, rows)
        unfinished.rename(path)
    return path
