"""Replay databases of any size: random games, through the actor's own writer."""

from __future__ import annotations

import zlib
from contextlib import closing
from itertools import count, islice
from pathlib import Path

from bench.episodes import random_episodes
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import SCHEMA, ReplayWriter

GAMES = 256
"""Games of a transaction."""


def make_rows(path: Path, env_id: str, rows: int) -> None:
    """Write `rows` positions of random games, and those that complete the last games."""
    games = random_episodes(env_id, count())
    with closing(ReplayWriter(path, metadata_of(game_of(env_id)))) as writer:
        missing = rows
        while missing > 0:
            some = list(islice(games, min(GAMES, 1 + missing // game_of(env_id).max_plies)))
            writer.write(some)
            missing -= sum(map(len, some))


def database(folder: Path, env_id: str, rows: int) -> Path:
    """A database of about `rows` rows in `folder`, made where it isn't there; its name tells schema and size."""
    path = folder / f"{env_id}-{rows}-{zlib.crc32(SCHEMA.encode()):08x}.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        make_rows(unfinished, env_id, rows)
        unfinished.rename(path)
    return path
