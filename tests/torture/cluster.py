"""Death of each part of a Ray cluster at random moments: `python -m torture.cluster FOLDER [KILLS [PART ...]]`.

The loop plays on a head and two nodes, all on loopback. SIGKILL ends a player, the hub, the driver, the trainer, a node or
the head. After each, everything that was stored before is still there, games are whole, and every player that lives has the
newest model. What ended the loop is followed by `--resume`. PART: player, hub, driver, trainer, node or head; else all are.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
from waiting import PATIENCE, wait_until

from torture import promises
from torture.small_cluster import ENVIRONMENT, SmallCluster
from trainer.core.json_values import read_json_object
from trainer.evaluators.loader import ModelLoader
from trainer.run.cluster_players import PlayerRow, players_in

KINDS = ("player", "hub", "driver", "trainer", "node", "head")
ENDS_THE_LOOP = ("driver", "trainer", "head")
NODES = 3
REPLACED = {"player": 1, "hub": 0, "node": 1} | dict.fromkeys(ENDS_THE_LOOP, NODES)
"""How many players are other ones afterwards."""
LONGEST = 3.0
"""Seconds of play before the next kill, at most."""


class Loop:
    """The loop on a cluster, as a process."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        words = f"trainer.loop --resume --env-id tictactoe --data-dir {folder} --minutes 600 --replay-window None"
        with open(folder / "loop.log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words.split(), "--ray", address],
                stdout=log,
                stderr=log,
                env=os.environ | ENVIRONMENT,
            )

    @property
    def ended(self) -> bool:
        """Whether it isn't running."""
        return self._process.poll() is not None

    def kill(self, module: str) -> None:
        """SIGKILL the child that runs `python -m module`."""
        for child in psutil.Process(self._process.pid).children():
            with suppress(psutil.Error):
                if child.cmdline()[2:4] == ["-m", module]:
                    child.kill()

    def wait(self, condition: Any, what: str) -> float:
        """Wait until a condition holds; returns for how long, in seconds. Fails if the loop ends before."""
        began = time.monotonic()
        wait_until(lambda: condition() or self.ended, what)
        assert not self.ended, f"{what}: {(self.folder / 'loop.log').read_text()[-2000:]}"
        return time.monotonic() - began

    @property
    def status(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self._process.wait(PATIENCE)

    def stop(self) -> int:
        """Interrupt it as Ctrl-C does, unless it has ended; returns its exit status."""
        if not self.ended:
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE)


def players(folder: Path) -> list[PlayerRow]:
    """The players that play now."""
    return players_in(read_json_object(folder / "actor_stats.json") or {}, time.time())


def newest_step(folder: Path) -> int:
    """The step of the newest model."""
    return ModelLoader("tictactoe").load(folder / "models" / "latest.onnx").step or 0


def games(folder: Path) -> dict[str, int]:
    """The rows of each stored game."""
    with closing(sqlite3.connect(folder / "replay.db", timeout=60)) as connection:
        return dict(connection.execute("SELECT episode_id, count(*) FROM transitions GROUP BY episode_id"))


def counted(folder: Path) -> int:
    """The games that players counted, each of which was acknowledged."""
    return int((read_json_object(folder / "actor_stats.json") or {}).get("episodes_completed", 0))


def seconds_until_all_have(loop: Loop, step: int, before: set[str], new: int) -> float:
    """How long it takes until all nodes play, each with the model of this step or a newer one.

    `new`: how many of the players must be others than those `before`, because a dead one is listed until it has been silent
    for a while.
    """

    def all_have() -> bool:
        playing = players(loop.folder)
        others = {one.name for one in playing} - before
        return len(playing) == NODES and len(others) >= new and all((one.model_step or 0) >= step for one in playing)

    return loop.wait(all_have, f"not every player gets the model of step {step}")


def kill_often(folder: Path, kills: int, among: Sequence[str], seed: int) -> str:
    """Kill one part after the other, each kind of `among` equally often; returns the figures. Raises AssertionError."""
    generator = random.Random(f"cluster-{seed}")
    kinds: list[str] = []
    while len(kinds) < kills:
        kinds += generator.sample(among, len(among))
    cluster = SmallCluster(NODES - 1)
    delays, leaving, joining = [], [], []
    try:
        loop = Loop(folder, cluster.address)
        loop.wait((folder / "models" / "latest.onnx").exists, "no model is published")
        seconds_until_all_have(loop, 0, set(), NODES)
        for kind in kinds[:kills]:
            time.sleep(generator.uniform(0.0, LONGEST))
            acknowledged, before = counted(folder), games(folder)
            playing = {one.name for one in players(folder)}
            if kind == "player":
                cluster.kill("ray::RayPlayer")
            elif kind == "hub":
                cluster.kill("ray::RayHub")
            elif kind == "node":
                cluster.ask("remove")
                leaving.append(loop.wait(lambda: len(players(folder)) < NODES, "a node that is gone is still listed"))
                cluster.ask("add")
                joining.append(loop.wait(lambda: len(players(folder)) == NODES, "a new node doesn't play"))
            elif kind == "head":
                cluster.kill_head()
            else:
                loop.kill("trainer.cluster" if kind == "driver" else "trainer")
            if kind in ENDS_THE_LOOP:
                assert loop.status == 1, f"the loop ended with {loop.status} after the death of the {kind}"
            if kind == "head":
                assert "is gone; start Ray again" in (folder / "loop.log").read_text().splitlines()[-1]
                cluster.close()
                cluster = SmallCluster(NODES - 1)
            promises.check(folder, "tictactoe")
            after = games(folder)
            assert len(after) >= acknowledged, (
                f"{acknowledged} games were acknowledged, {len(after)} are stored ({kind})"
            )
            assert before.items() <= after.items(), f"games were lost or changed ({kind})"
            if kind in ENDS_THE_LOOP:
                loop = Loop(folder, cluster.address)
            seconds_until_all_have(loop, 0, playing, REPLACED[kind])
            delays.append(seconds_until_all_have(loop, newest_step(folder), playing, REPLACED[kind]))
            print(f"{kind}: {len(after):,} games, the newest model after {delays[-1]:.1f} s", flush=True)
        status = loop.stop()
        assert status == 130, f"the loop ended with {status}: {(folder / 'loop.log').read_text()[-2000:]}"
    finally:
        loop.stop()
        cluster.close()
    promises.check(folder, "tictactoe")
    stored = games(folder)
    assert before.items() <= stored.items()
    steps = json.loads((folder / "stats.json").read_bytes())["step"]
    each = ", ".join(f"{kind} {number}" for kind, number in Counter(kinds[:kills]).items())
    return (
        f"killed {kills} times ({each}): {len(stored):,} whole games, {counted(folder):,} counted, none lost; "
        f"{steps:,} steps; every player had the newest model after {max(delays):.1f} s at most, a new node played after "
        f"{max(joining, default=0.0):.1f} s, one that was gone was listed for {max(leaving, default=0.0):.1f} s more"
    )


if __name__ == "__main__":
    folder, times = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 30
    folder.mkdir(parents=True)
    print(kill_often(folder, times, sys.argv[3:] or KINDS, 1))
