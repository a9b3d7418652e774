"""How graphs are captured, with stubs in place of torch's: what is captured runs operation by operation on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lines_of_play import random_lines
from random_models import random_network
from run_files import store_games

from trainer.game_config import load_game_config
from trainer.games import game_of
from trainer.gpu import launchers
from trainer.gpu.launchers import CAPTURING, GraphLauncher
from trainer.replay import ReplayBuffer
from trainer.settings.trainer import TrainerConfig
from trainer.training.learner import Learner
from trainer.training.steps.device_batches import Unpacker
from trainer.training.steps.device_steps import STEPS_BEFORE_CAPTURE, DeviceSteps

AS_WANTED = ("thread_local", True)


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Of each capture its mode, and whether nobody else could capture meanwhile.

    As in torch, the first one makes a tensor for all graphs, to which later captures write, and in torch 2.6 each replay.
    """
    found: list[tuple[str, bool]] = []
    seeds: list[torch.Tensor] = []

    class Graph:
        def replay(self) -> None:
            seeds[0].fill_(1)

    @contextmanager
    def graph(made: Graph, stream: object, capture_error_mode: str = "global") -> Iterator[None]:
        if not seeds:
            seeds.append(torch.empty(1))
        seeds[0].fill_(1)
        found.append((capture_error_mode, CAPTURING.locked()))
        yield

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "stream", nullcontext)
    monkeypatch.setattr(launchers, "capture_stream", lambda: SimpleNamespace(synchronize=lambda: None))
    return found


def test_evaluations_and_steps_are_captured_in_one_process(captures: list[tuple[str, bool]], tmp_path: Path) -> None:
    """An evaluation is captured once, a step once for each size of batches, after some steps without a graph."""
    game = game_of("tictactoe")
    network = random_network("tictactoe", "residual", width=16, blocks=1)
    launcher = GraphLauncher(network.eval().requires_grad_(False), 4, game.obs_size, game.num_actions)
    for _ in range(2):
        launcher.launch()
    assert captures == [AS_WANTED]
    store_games(tmp_path, "tictactoe", [line.actions for line in random_lines("tictactoe", 8)])
    path = tmp_path / "replay.db"
    config = load_game_config("tictactoe", path)
    with closing(ReplayBuffer(path, config.metadata, config.symmetry_tables)) as replay:
        replay.refresh()
        unpacker = Unpacker(replay.metadata, replay.symmetries, torch.device("cpu"))
        learner = Learner(random_network("tictactoe", "residual", width=16, blocks=1), TrainerConfig(), unpacker)
        assert isinstance(learner.steps, DeviceSteps)
        learner.steps._captures = True
        for rows in (8, 16):
            before = len(captures)
            for _ in range(STEPS_BEFORE_CAPTURE):
                learner.learn(replay.sample_packed(np.random.default_rng(1), rows), 0.01)
            assert len(captures) == before
            for _ in range(2):
                learner.learn(replay.sample_packed(np.random.default_rng(1), rows), 0.01)
            assert captures[before:] == [AS_WANTED]
    launcher.launch()
