"""Positions a second of self-play: ours, mctx with pgx, OpenSpiel's Python MCTS; the same game, network and simulations."""

from __future__ import annotations

import importlib.util
import sys
from statistics import median

from bench.job import Job
from bench.measured import Result, Target
from bench.models import place_model, publish_model
from bench.turns import Contender, Turn, actor, alternate, ready

POSITIONS = "total_steps"


def measure(job: Job) -> list[Result]:
    """Connect 4 by turns; rows are written to SQLite all the while."""
    size = job.size
    with job.scratch() as folder:
        path = publish_model("connect4", folder / "peers")
        model, content = str(path), path.read_bytes()

        def ours(name: str, *flags: str) -> Contender:
            place_model(folder / name, content)
            sizes = ("--simulations", size.simulations, "--games", size.games, "--threads", size.threads)
            return actor(folder / name, "connect4", *sizes, "--replay-window", 200_000, *flags)

        sides = {"ours, PUCT": ours("puct"), "ours, Gumbel": ours("gumbel", "--gumbel")}
        if are_installed("jax", "mctx", "pgx"):
            command = [sys.executable, "-m", "bench.peers.mctx_pgx", model, str(size.simulations), str(size.games)]
            sides["mctx, PUCT"] = Contender([[*command, "muzero_policy"]])
            sides["mctx, Gumbel"] = Contender([[*command, "gumbel_muzero_policy"]])
        if are_installed("pyspiel"):
            command = [sys.executable, "-m", "bench.peers.openspiel", model, str(size.simulations)]
            sides["OpenSpiel"] = Contender([[*command, str(seed)] for seed in range(size.threads)])
        with ready(*sides.values()):
            found = alternate(size.rounds, *(lambda one=one: one.turn(size.turn) for one in sides.values()))
    turns: dict[str, list[Turn]] = dict(zip(sides, found, strict=True))

    def beside(search: str, name: str, peer: str, least: float | None = None) -> Result:
        """Ours and one peer's, both by the same search."""
        own, theirs = turns[f"ours, {search}"], turns.get(name, [])
        note = ""
        if theirs:
            searched = median(turn.rates["simulations"] / turn.rates[POSITIONS] for turn in own)
            each = [median(turn.each_core(key) for turn in side) for side, key in ((own, POSITIONS), (theirs, "count"))]
            note = f"beside {peer}: ours {searched:.0f} simulations a position, for a search ends when its root is proven; "
            note += f"{each[0] / each[1]:.1f} times by the time on a core"
        return Result(
            f"Connect 4, {size.simulations} simulations, {search}, both cores",
            "positions/s",
            [turn.rates[POSITIONS] for turn in own],
            peer,
            [turn.rates["count"] for turn in theirs],
            Target(least=least),
            note=note,
        )

    return [
        beside("PUCT", "mctx, PUCT", f"mctx + pgx, PUCT, batch {size.games}, both cores", 30),
        beside("Gumbel", "mctx, Gumbel", f"mctx + pgx, Gumbel, batch {size.games}, both cores"),
        beside("PUCT", "OpenSpiel", f"OpenSpiel's Python MCTS, {size.threads} processes", 25),
    ]


def are_installed(*modules: str) -> bool:
    """Whether all of these can be imported."""
    return all(importlib.util.find_spec(module) for module in modules)
