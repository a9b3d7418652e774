"""Load a replay database into memory, in a process of its own: `python -m bench.support.load_replay replay.db connect4`.

Repeats are counted if the game's recipe says so. Prints JSON: the seconds, the MiB of resident memory that it took, and the
rows. With `follow` it then goes on like a trainer until it is killed: it looks for new rows and draws batches.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from trainer.game_config import load_game_config
from trainer.games.recipes import recipe_of
from trainer.replay import ReplayBuffer

MIB = 2**20
LOOK_EVERY = 0.5
"""Seconds between two looks for new rows."""


def main(path: Path, env_id: str, follow: bool) -> None:
    """Load, print, and follow if asked to."""
    game, repeats = load_game_config(env_id, path), recipe_of(env_id).merge_repeats
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    replay = ReplayBuffer(path, game.metadata, game.symmetry_tables, merge_repeats=repeats)
    replay.refresh()
    seconds = time.perf_counter() - began
    found = {"seconds": seconds, "mib": (process.memory_info().rss - before) / MIB, "rows": len(replay)}
    print(json.dumps(found), flush=True)
    generator = np.random.default_rng(0)
    while follow:
        replay.refresh(every=LOOK_EVERY)
        if len(replay):
            replay.sample(generator, 256)
        time.sleep(0.002)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "follow" in sys.argv[3:])
