"""Positions a second of self-play: ours, mctx with pgx, OpenSpiel's Python MCTS; the same game, network and simulations."""

from __future__ import annotations

import importlib.util
import sys
from statistics import median

from bench.job import Job
from bench.measured import Result, Target
from bench.models import publish_model
from bench.turns import Contender, Turn, actor, alternate, ready

POSITIONS = "total_steps"


def measure(job: Job) -> list[Result]:
    """Connect 4 by turns; rows are written to SQLite all the while."""
    size = job.size
    with job.scratch() as folder:
        model = str(publish_model("connect4", folder))
        ours = actor(
            folder,
            "connect4",
            *("--simulations", size.simulations, "--games", size.games, "--threads", size.threads),
            *("--replay-window", 200_000),
        )
        peers: dict[str, Contender] = {}
        if are_installed("jax", "mctx", "pgx"):
            command = [sys.executable, "-m", "bench.peers.mctx_pgx", model, str(size.simulations), str(size.games)]
            peers["puct"] = Contender([[*command, "muzero_policy"]])
            peers["gumbel"] = Contender([[*command, "gumbel_muzero_policy"]])
        if are_installed("pyspiel"):
            command = [sys.executable, "-m", "bench.peers.openspiel", model, str(size.simulations)]
            peers["openspiel"] = Contender([[*command, str(seed)] for seed in range(size.threads)])
        with ready(ours, *peers.values()):
            contenders = (ours, *peers.values())
            turns = alternate(size.rounds, *(lambda one=one: one.turn(size.turn) for one in contenders))
    own: list[Turn] = turns[0]
    theirs: dict[str, list[Turn]] = dict(zip(peers, turns[1:], strict=True))
    searched = median(turn.rates["simulations"] / turn.rates["total_steps"] for turn in own)

    def beside(name: str, peer: str, least: float | None = None) -> Result:
        """Ours and one peer's."""
        note = f"beside {peer}: ours {searched:.0f} simulations a position, for a search ends when its root is proven"
        if found := theirs.get(name):
            each = [median(turn.each_core(key) for turn in side) for side, key in ((own, POSITIONS), (found, "count"))]
            note += f"; {each[0] / each[1]:.1f} times by the time on a core"
        if least is None:
            note += "; another search than ours, so without a target"
        return Result(
            f"Connect 4, {size.simulations} simulations, both cores",
            "positions/s",
            [turn.rates[POSITIONS] for turn in own],
            peer,
            [turn.rates["count"] for turn in theirs.get(name, [])],
            Target(least=least),
            note=note,
        )

    return [
        beside("puct", f"mctx + pgx, PUCT, batch {size.games}, both cores", 30),
        beside("gumbel", f"mctx + pgx, Gumbel, batch {size.games}, both cores"),
        beside("openspiel", f"OpenSpiel's Python MCTS, {size.threads} processes", 25),
    ]


def are_installed(*modules: str) -> bool:
    """Whether all of these can be imported."""
    return all(importlib.util.find_spec(module) for module in modules)
