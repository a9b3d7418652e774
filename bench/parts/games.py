"""Every game: self-play next to OpenSpiel's Python MCTS with the same network, and the speed of the rules alone."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.report.result import Result, Target
from bench.support.actors import POSITIONS, actor
from bench.support.installed import are_installed
from bench.support.job import Job
from bench.support.models import publish_model
from bench.support.turns import alternate, median_per_cpu_second, rates
from bench.support.workload import Workload, ready
from trainer.check.statistics import linked_lines, nanoseconds_per_move
from trainer.check.subject import Subject
from trainer.games.position import Position

OPENSPIEL = {
    "tictactoe": "tic_tac_toe",
    "connect4": "connect_four",
    "othello": "othello",
    "hex": "hex(board_size=7)",
    "dots": "dots_and_boxes(num_rows=3,num_cols=3)",
    "mnk:width=15,height=15,line=5": "mnk(m=15,n=15,k=5)",
    "breakthrough": "breakthrough",
    "go": "go(board_size=9)",
}
"""Our games and OpenSpiel's."""
TURNS = 3
"""Turns of each side, at most; there are many games."""
PLAYOUTS = {"go": 1.0e6, "mnk:width=15,height=15,line=5": 4.0e6}
"""Moves per second that random games should reach on one core."""
PERFT, DEPTH, LEAVES = "minichess", 5, 3.0e6
"""The game whose lines are counted, how deep, and how many per second it should be."""


def measure(job: Job) -> list[Result]:
    """Self-play of each game in turns with OpenSpiel; then the rules."""
    games = OPENSPIEL if job.size.every_game else {"tictactoe": OPENSPIEL["tictactoe"]}
    with job.scratch() as folder:
        compared = [self_play(job, folder / str(at), *names) for at, names in enumerate(games.items())]
    if not job.size.every_game:
        return [*compared, random_games(job, "tictactoe")]
    return [*compared, *(random_games(job, env_id) for env_id in (*games, PERFT)), lines(job)]


def self_play(job: Job, folder: Path, env_id: str, theirs: str) -> Result:
    """One game, ours with PUCT."""
    size = job.size
    model = publish_model(env_id, folder)
    own = actor(
        folder,
        env_id,
        simulations=size.simulations,
        games=size.games,
        threads=size.threads,
        replay_window=size.window,
    )
    sides = [own]
    if are_installed("pyspiel"):
        command = [sys.executable, "-m", "bench.peers.openspiel", str(model), str(size.simulations), theirs]
        sides.append(Workload([[*command, str(seed)] for seed in range(size.threads)]))
    with ready(*sides):
        found = alternate(min(size.rounds, TURNS), *(lambda one=one: one.turn(size.turn) for one in sides))
    ours, others = found[0], found[1] if len(found) > 1 else []
    note = ""
    if others:
        factor = median_per_cpu_second(ours, POSITIONS) / median_per_cpu_second(others, "count")
        note = f"{factor:.1f} times per CPU-second"
    return Result(
        f"{env_id}, {size.simulations} simulations, PUCT, both cores",
        "positions/s",
        rates(ours, POSITIONS),
        f"OpenSpiel's Python MCTS, {theirs}, {size.threads} processes",
        rates(others, "count"),
        Target(least=20),
        note=note,
    )


def random_games(job: Job, env_id: str) -> Result:
    """Moves of random games, legal moves included, per second of one core."""
    subject = Subject(env_id)
    linked = linked_lines(subject)
    found = [1e9 / nanoseconds_per_move(subject, linked) for _ in range(job.size.rounds)]
    return Result(f"{env_id}, random games, one core", "moves/s", found, target=Target(least=PLAYOUTS.get(env_id)))


def lines(job: Job) -> Result:
    """Lines of play that are counted per second of one core, the leaves of perft."""
    subject = Subject(PERFT)
    linked = linked_lines(subject)
    first = Position.first(linked.rules).state
    found = []
    for _ in range(job.size.rounds):
        began = time.thread_time()
        count = linked.lines.perft(first, DEPTH, False, DEPTH)
        found.append(count / (time.thread_time() - began))
    return Result(f"{PERFT}, perft to depth {DEPTH}, one core", "leaves/s", found, target=Target(least=LEAVES))
