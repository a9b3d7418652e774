"""Self-play, ours next to mctx with pgx and to OpenSpiel's Python MCTS: the same game, network and simulations."""

from __future__ import annotations

import sys
from statistics import median

from bench.report.result import Result, Target
from bench.support.actors import POSITIONS, actor
from bench.support.installed import are_installed
from bench.support.job import Job
from bench.support.models import place_model, publish_model
from bench.support.turns import Turn, alternate, median_per_cpu_second, rates
from bench.support.workload import Workload, ready


def measure(job: Job) -> list[Result]:
    """Connect 4 in turns; our actor writes rows into its database all the while."""
    size = job.size
    with job.scratch() as folder:
        path = publish_model("connect4", folder / "peers")
        model, content = str(path), path.read_bytes()

        def ours(name: str, gumbel: bool = False, cache: int | None = None) -> Workload:
            """Our actor, by default with its cache, which stays full here: the model is never replaced."""
            place_model(folder / name, content)
            return actor(
                folder / name,
                "connect4",
                simulations=size.simulations,
                games=size.games,
                threads=size.threads,
                replay_window=size.window,
                gumbel=gumbel,
                cache=cache,
            )

        sides = {
            "ours, PUCT": ours("puct"),
            "ours, PUCT, no cache": ours("uncached", cache=0),
            "ours, Gumbel": ours("gumbel", gumbel=True),
        }
        if are_installed("jax", "mctx", "pgx"):
            command = [sys.executable, "-m", "bench.peers.mctx_pgx", model, str(size.simulations), str(size.games)]
            sides["mctx, PUCT"] = Workload([[*command, "muzero_policy"]])
            sides["mctx, Gumbel"] = Workload([[*command, "gumbel_muzero_policy"]])
        if are_installed("pyspiel"):
            command = [sys.executable, "-m", "bench.peers.openspiel", model, str(size.simulations), "connect_four"]
            sides["OpenSpiel"] = Workload([[*command, str(seed)] for seed in range(size.threads)])
        with ready(*sides.values()):
            found = alternate(size.rounds, *(lambda one=one: one.turn(size.turn) for one in sides.values()))
    turns: dict[str, list[Turn]] = dict(zip(sides, found, strict=True))

    def compare(search: str, name: str, peer: str, least: float | None = None) -> Result:
        """Our positions/s with one kind of search against a peer's."""
        own, theirs = turns[f"ours, {search}"], turns.get(name, [])
        note = ""
        if theirs:
            # Both sides evaluate each root first. Our counts include that, mctx's number of simulations doesn't.
            each = median(turn.rates["simulations"] / turn.rates[POSITIONS] for turn in own) - 1
            factor = median_per_cpu_second(own, POSITIONS) / median_per_cpu_second(theirs, "count")
            note = (
                f"next to {peer}: ours needs {each:.0f} simulations per position, because our searches stop once the root "
                f"is solved; {factor:.1f} times per CPU-second"
            )
        return Result(
            f"Connect 4, {size.simulations} simulations, {search}, both cores",
            "positions/s",
            rates(own, POSITIONS),
            peer,
            rates(theirs, "count"),
            Target(least=least),
            note=note,
        )

    return [
        compare("PUCT", "mctx, PUCT", f"mctx + pgx, PUCT, batch {size.games}, both cores", 30),
        compare("PUCT, no cache", "mctx, PUCT", f"mctx + pgx, PUCT, batch {size.games}, both cores"),
        compare("Gumbel", "mctx, Gumbel", f"mctx + pgx, Gumbel, batch {size.games}, both cores"),
        compare("PUCT", "OpenSpiel", f"OpenSpiel's Python MCTS, {size.threads} processes", 25),
    ]
