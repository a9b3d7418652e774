"""Where the time goes, as pictures: `python -m bench.profiles` writes docs/profile-*.svg.

Times are those on a core, not of the clock on the wall, so that other work on the machine changes them less.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import tyro

from bench.job import Job
from bench.models import SIZES, publish_model
from bench.pictures import bars
from bench.size import FULL, TINY, Size
from bench.training import BATCHES, mirror_of, our_step
from trainer.actor import moves
from trainer.actor.selfplay import SelfPlay, SelfPlayConfig
from trainer.compile.linker import compiled
from trainer.evaluators.answers import SOUND
from trainer.evaluators.onnx_file import fault_of, load_model, masked_softmax
from trainer.evaluators.sparse import SparseTwin
from trainer.games import ENV_IDS, game_of
from trainer.settings.trainer import TrainerConfig
from trainer.sparse import backward as source
from trainer.sparse.layout import Network
from trainer.training import adamw as descent
from trainer.training import gradient as differentiation

EVALUATE, SOFTMAX = "network", "softmax over legal moves"
DESCEND, EXPAND = "down to the leaves", "new edges, values up"
KERNELS = {
    "count_active": "counting what is active",
    "pass_back": "gradient: ReLU and biases",
    "add_weights": "gradient by weights",
    "add_inputs": "gradient by inputs",
}


@dataclass
class Clock:
    """Seconds on a core by name, of functions that were replaced by timed ones."""

    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; its time goes to `name`."""

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            answer = function(*arguments, **named)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - began
            return answer

        return call


def selfplay_profile(env_id: str, size: Size, folder: Path) -> dict[str, float]:
    """Nanoseconds of a simulation by what they are spent on, one thread, without the writing of rows."""
    game = game_of(env_id)
    path = publish_model(env_id, folder)
    twin: Any = SparseTwin(env_id)(path.read_bytes(), load_model(path, env_id, game.obs_size, game.num_actions))
    player = SelfPlay(env_id, size.games, count(), 1, "profile", SelfPlayConfig(simulations=size.simulations))
    clock = Clock()
    kernels = player.search._kernels
    tree = SimpleNamespace(descend=clock.timed(DESCEND, kernels.descend), expand=clock.timed(EXPAND, kernels.expand))
    parts = {
        "tree": tree,
        "advance": clock.timed("moves, new games", player._moves.advance),
        "forward": SimpleNamespace(evaluate=clock.timed(EVALUATE, twin._kernels.evaluate)),
        "answers": SimpleNamespace(fault_of=fault_of, masked_softmax=clock.timed(SOFTMAX, masked_softmax), SOUND=SOUND),
    }
    player._moves = SimpleNamespace(play=FunctionType(moves.play.__code__, parts))  # uncompiled, of timed parts
    until = time.monotonic() + size.turn
    while time.monotonic() < until:
        player.step(twin, network=twin.network)
    clock.seconds.clear()
    before, began = player.search.simulations_done, time.thread_time()
    until = time.monotonic() + size.turn
    while time.monotonic() < until:
        player.step(twin, network=twin.network)
    all_of_it, done = time.thread_time() - began, player.search.simulations_done - before
    clock.seconds["Python, the rest"] = all_of_it - sum(clock.seconds.values())
    return {name: 1e9 * seconds / done for name, seconds in sorted(clock.seconds.items(), key=lambda item: -item[1])}


def training_profile(env_id: str, job: Job) -> dict[str, float]:
    """Microseconds of a training step by what they are spent on, one thread."""
    config = TrainerConfig(db=job.database(env_id), env_id=env_id, batch_size=BATCHES[env_id])
    torch.set_num_threads(1)
    clock = Clock()
    with (
        closing(mirror_of(config)) as replay,
        patch.object(descent, "adamw", clock.timed("clipping and AdamW", descent.adamw)),
        patch.object(
            differentiation, "differentiate_heads", clock.timed("losses", differentiation.differentiate_heads)
        ),
        patch.object(differentiation, "compiled", lambda *of, **how: take_apart(clock, *compiled(*of, **how))),
        patch.object(replay, "sample", clock.timed("drawing the batch", replay.sample)),
    ):
        step = our_step(replay, config)
        for _ in range(job.size.steps):
            step()
        clock.seconds.clear()
        began = time.thread_time()
        for _ in range(job.size.steps):
            step()
        whole = time.thread_time() - began
    clock.seconds["Python, the rest"] = whole - sum(clock.seconds.values())
    parts = sorted(clock.seconds.items(), key=lambda item: -item[1])
    return {name: 1e6 * seconds / job.size.steps for name, seconds in parts}


def take_apart(clock: Clock, lanes: ModuleType, forward: Any, backward: Any) -> tuple[Any, ...]:
    """The kernels of a training step, timed, and the one that calls the others uncompiled."""
    parts = {name: clock.timed(label, getattr(backward, name)) for name, label in KERNELS.items()}

    def differentiate(network: Network, *others: Any) -> None:
        FunctionType(source.differentiate.__code__, parts | {"Operand": source.Operand, "len": len, "range": range})(
            network._replace(layers=network.layers.view(np.recarray)), *others
        )

    order = "weights fetched, gradient returned"
    return (
        lanes,
        SimpleNamespace(pass_through=clock.timed("network", forward.pass_through)),
        SimpleNamespace(
            differentiate=differentiate,
            gather=clock.timed(order, backward.gather),
            scatter=clock.timed(order, backward.scatter),
        ),
    )


def main(out: Path = Path("docs"), work: Path = Path("build/bench"), tiny: bool = False) -> None:
    """Measure and draw. `out`: folder for the pictures; `work`: folder for databases."""
    job = Job(TINY if tiny else FULL, work)
    with job.scratch() as folder:
        for env_id in ENV_IDS:
            found = selfplay_profile(env_id, job.size, folder / env_id)
            title = f"A simulation of self-play, {game_of(env_id).display_name}: {sum(found.values()):,.0f} ns"
            (out / f"profile-selfplay-{env_id}.svg").write_text(bars(title, "ns", found))
    for env_id, batch in BATCHES.items():
        found = training_profile(env_id, job)
        sizes = "-".join(map(str, (game_of(env_id).obs_size, *SIZES[env_id])))
        title = f"A training step, {sizes}, batch {batch}: {sum(found.values()):,.0f} µs"
        (out / f"profile-training-{env_id}.svg").write_text(bars(title, "µs", found))


if __name__ == "__main__":
    sys.exit(tyro.cli(main, prog="python -m bench.profiles"))
