"""Where the time of a simulation of self-play goes."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from types import FunctionType, SimpleNamespace
from unittest.mock import patch

from bench.profiles.clock import Clock
from bench.support.models import publish_model
from bench.support.size import Size
from trainer.actor import moves, selfplay
from trainer.actor.selfplay import SelfPlay
from trainer.compile.linker import Linked
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.sparse import SparseAccelerator
from trainer.games.kernels import link_kernels
from trainer.settings.groups.self_play import SelfPlaySettings


def selfplay_profile(env_id: str, size: Size, folder: Path) -> dict[str, float]:
    """Nanoseconds per simulation by what they are spent on, in one thread, without writing rows."""
    path = publish_model(env_id, folder)
    original = OnnxEvaluator(path.read_bytes(), str(path), env_id)
    evaluator = SparseAccelerator(env_id)(path.read_bytes(), original)
    assert evaluator is not None
    clock = Clock()
    with patch.object(selfplay, "link_kernels", lambda *of, **how: timed_kernels(clock, link_kernels(*of, **how))):
        player = SelfPlay(
            env_id, size.games, count(), 1, "profile", SelfPlaySettings(simulations=size.simulations, cache=0)
        )
    play_for(size.turn, player, evaluator)
    clock.seconds.clear()
    before, began = player.search.simulations_done, time.thread_time()
    play_for(size.turn, player, evaluator)
    total, simulations = time.thread_time() - began, player.search.simulations_done - before
    return clock.shares(total, 1e9 / simulations)


def play_for(seconds: float, player: SelfPlay, evaluator: Evaluator) -> None:
    """Make steps of self-play for some seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        player.step(evaluator)


def timed_kernels(clock: Clock, linked: Linked) -> Linked:
    """The kernels of self-play; `play` runs uncompiled and calls timed kernels."""
    simulations, answers = linked.simulations, linked.answers
    parts = {
        "simulations": SimpleNamespace(
            descend=clock.timed("down to the leaves", simulations.descend),
            expand=clock.timed("new edges, values up", simulations.expand),
        ),
        "forward": SimpleNamespace(evaluate=clock.timed("network", linked.forward.evaluate)),
        "answers": SimpleNamespace(
            fault_of=answers.fault_of,
            masked_softmax=clock.timed("softmax over legal moves", answers.masked_softmax),
            SOUND=answers.SOUND,
        ),
        "advance": clock.timed("moves, new games", linked.moves.advance),
    }
    play = FunctionType(moves.play.__code__, parts)
    return Linked(moves=SimpleNamespace(play=play, play_random=linked.moves.play_random))
