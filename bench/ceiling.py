"""How much of what ONNX Runtime alone can evaluate becomes simulations, when each simulation asks it (no cache)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from threading import Thread

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bench.job import Job
from bench.measured import Result, Target
from bench.models import publish_model
from bench.turns import Turn, actor, alternate, ready
from trainer.games import game_of

TARGETS = {"connect4": 0.75, "othello": 0.60, "tictactoe": 0.30}
BATCHES = (64, 128, 256, 512, 1024)


def measure(job: Job) -> list[Result]:
    """Each game by turns with its ceiling."""
    return [measure_game(job, env_id, least) for env_id, least in TARGETS.items()]


def measure_game(job: Job, env_id: str, least: float) -> Result:
    """Simulations a second of the actor, and evaluations a second of its model alone."""
    size = job.size
    with job.scratch() as folder:
        alone = Alone(publish_model(env_id, folder), env_id, size.threads)
        best = max(BATCHES, key=lambda batch: alone.turn(batch, size.turn / 10).each_core("evaluations"))
        flags = ("--simulations", size.simulations, "--games", size.games, "--threads", size.threads)
        playing = actor(folder, env_id, *flags, "--replay-window", 200_000, "--cache", 0)
        with ready(playing):
            ours, theirs = alternate(
                size.rounds, lambda: playing.turn(size.turn / 2), lambda: alone.turn(best, size.turn / 2)
            )
    share = median(turn.each_core("simulations") for turn in ours) / median(
        turn.each_core("evaluations") for turn in theirs
    )
    note = f"{median(turn.cores for turn in ours):.1f} cores busy; of the time on a core {share:.0%}"
    return Result(
        f"{game_of(env_id).display_name}, {size.simulations} simulations",
        "simulations/s",
        [turn.rates["simulations"] for turn in ours],
        f"evaluations of ONNX Runtime alone, batch {best}, {size.threads} threads",
        [turn.rates["evaluations"] for turn in theirs],
        Target(least=least),
        note=note,
    )


class Alone:
    """A model, evaluated by several threads at once as fast as it goes."""

    def __init__(self, model: Path, env_id: str, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._sessions = [
            onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            for _ in range(threads)
        ]
        self._obs_size = game_of(env_id).obs_size

    def turn(self, batch: int, seconds: float) -> Turn:
        """Evaluate for so long, and measure."""
        rows = (np.random.default_rng(0).random((batch, self._obs_size)) < 0.3).astype(np.float32)
        done = [0] * len(self._sessions)
        cpu, began = time.process_time(), time.monotonic()

        def evaluate(index: int, run: Callable[..., list[NDArray[np.float32]]]) -> None:
            while time.monotonic() < began + seconds:
                run(["policy_logits", "value"], {"observation": rows})
                done[index] += batch

        threads = [Thread(target=evaluate, args=(i, session.run)) for i, session in enumerate(self._sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        return Turn({"evaluations": sum(done) / seconds}, (time.process_time() - cpu) / seconds)
