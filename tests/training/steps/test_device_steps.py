"""Steps with batches that are unpacked on the device: on the CPU here, operation by operation."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import CloseLater
from lines_of_play import random_lines
from random_models import random_network
from run_files import store_games
from stored_rows import remove_policies

from trainer.core.errors import DeviceError
from trainer.game_config import load_game_config, metadata_of
from trainer.games import game_of
from trainer.games.layout import layout_of
from trainer.network import CustomNetwork, NetworkFile
from trainer.replay import ReplayBuffer
from trainer.settings.trainer import TrainerConfig
from trainer.training.learner import Learner
from trainer.training.steps.adamw import MOMENTS, AdamWSteps
from trainer.training.steps.device_batches import Unpacker
from trainer.training.steps.device_steps import DeviceSteps
from trainer.training.steps.torch_steps import TorchSteps

CPU = torch.device("cpu")
OWN_LOSS = """
import torch
from torch import nn
from trainer.network import Loss, alphazero_loss


class Net(nn.Module):
    def __init__(self, layout):
        super().__init__()
        self.policy = nn.Linear(layout.view_size, layout.num_actions)
        self.value = nn.Linear(layout.view_size, 1)

    def forward(self, view):
        return self.policy(view), torch.tanh(self.value(view))


def network(layout, width, blocks):
    return Net(layout)


def loss(module, batch):
    logits, value = module(batch.view)
    whole = alphazero_loss(logits, value, batch.legal, batch.policy_target, batch.value_target)
    return Loss(whole.policy, *whole[1:])
"""


@pytest.fixture
def replay(tmp_path: Path, close_later: CloseLater) -> ReplayBuffer:
    """Some random games of Connect 4; every second row has no policy target."""
    path = tmp_path / "replay.db"
    store_games(tmp_path, "connect4", [line.actions for line in random_lines("connect4", 8)])
    remove_policies(path)
    game = load_game_config("connect4", path)
    buffer: ReplayBuffer = close_later(ReplayBuffer(path, game.metadata, game.symmetry_tables))
    buffer.refresh()
    return buffer


def unpacking(replay: ReplayBuffer) -> Unpacker:
    """Unpacks its batches on the CPU."""
    return Unpacker(replay.metadata, replay.symmetries, CPU)


def test_a_step_is_that_of_autograd(replay: ReplayBuffer) -> None:
    """From the same weights, the same loss and the same weights afterwards; the average follows."""
    network = random_network("connect4", "residual", width=16, blocks=1)
    config = TrainerConfig(average=0.9, grad_clip=0.5)
    ours = Learner(copy.deepcopy(network), config, unpacking(replay))
    theirs = Learner(network, config)
    assert (type(ours.steps), type(theirs.steps)) == (DeviceSteps, TorchSteps)
    loss = ours.learn(replay.sample_packed(np.random.default_rng(1), 32, 0.5), 0.01)
    expected = theirs.learn(replay.sample(np.random.default_rng(1), 32, 0.5), 0.01)
    assert [part.item() for part in loss] == pytest.approx([part.item() for part in expected], rel=1e-6)
    for one, other in ((ours.network, theirs.network), (ours.published, theirs.published)):
        for name, weight in one.state_dict().items():
            torch.testing.assert_close(weight, other.state_dict()[name], rtol=1e-6, atol=1e-8)


def test_a_checkpoint_moves_from_one_kind_of_steps_to_the_other(replay: ReplayBuffer) -> None:
    """From a device to the kernels of the CPU, and back: nothing of the state is lost."""
    config = TrainerConfig()
    network = random_network("connect4", width=16)
    on_device = Learner(copy.deepcopy(network), config, unpacking(replay))
    on_device.learn(replay.sample_packed(np.random.default_rng(1), 32), 0.01)
    state = copy.deepcopy(on_device.state())
    here = Learner(random_network("connect4", width=16, seed=9), config)
    assert (type(on_device.steps), type(here.steps)) == (DeviceSteps, AdamWSteps)
    here.restore(state)
    back = Learner(random_network("connect4", width=16, seed=8), config, unpacking(replay))
    back.restore(copy.deepcopy(here.state()))
    for learner in (here, back):
        for name, weight in state["network"].items():
            assert torch.equal(learner.state()["network"][name], weight)
        for found, expected in zip(
            learner.state()["optimizer"]["state"].values(), state["optimizer"]["state"].values(), strict=True
        ):
            assert all(torch.equal(found[name], expected[name]) for name in ("step", "exp_avg", "exp_avg_sq"))


@pytest.mark.parametrize("on_gpu", ["before", "after"])
def test_a_checkpoint_is_read_whichever_way_weights_lie_in_memory(replay: ReplayBuffer, on_gpu: str) -> None:
    """On a GPU those of a tower lie with the channels last, and on the CPU not. Moments have to lie as their weights do."""
    learners = {}
    for when in ("before", "after"):
        network = random_network("connect4", "residual", width=16, blocks=1)
        lies = torch.channels_last if when == on_gpu else torch.contiguous_format
        learners[when] = Learner(
            network.to(memory_format=lies),  # type: ignore[call-overload]
            TrainerConfig(),
            unpacking(replay),
        )
    learners["before"].learn(replay.sample_packed(np.random.default_rng(1), 32), 0.01)
    state, learner = copy.deepcopy(learners["before"].state()), learners["after"]
    learner.restore(copy.deepcopy(state))
    found = learner.state()
    assert all(torch.equal(found["network"][name], weight) for name, weight in state["network"].items())
    for number, weight in enumerate(learner.network.parameters()):
        for name in MOMENTS:
            moment = found["optimizer"]["state"][number][name]
            assert torch.equal(moment, state["optimizer"]["state"][number][name])
            assert moment.stride() == weight.stride()
    assert all(weight.is_contiguous() for weight in learner.network.parameters()) == (on_gpu == "before")


def test_the_loss_of_a_network_of_ones_own_is_minimized(replay: ReplayBuffer, tmp_path: Path) -> None:
    """Here it is the policy's alone, so the value's weights stay as they are."""
    path = tmp_path / "mynet.py"
    path.write_text(OWN_LOSS)
    game = game_of("connect4")
    network = CustomNetwork(NetworkFile(path), metadata_of(game), layout_of(game), 8, 1)
    before = copy.deepcopy(network.state_dict())
    learner = Learner(network, TrainerConfig(weight_decay=0), unpacking(replay))
    assert type(learner.steps) is DeviceSteps
    learner.learn(replay.sample_packed(np.random.default_rng(1), 32), 0.01)
    after = learner.network.state_dict()
    assert not torch.equal(after["inner.policy.weight"], before["inner.policy.weight"])
    assert torch.equal(after["inner.value.weight"], before["inner.value.weight"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "the memory of the GPU is full during a training step"),
        (RuntimeError("CUDA error: unspecified launch failure"), "the GPU failed during a training step"),
    ],
)
def test_a_device_that_fails_is_one_error(error: RuntimeError, words: str, replay: ReplayBuffer) -> None:
    """With what to do."""
    learner = Learner(random_network("connect4", "residual", width=16, blocks=1), TrainerConfig(), unpacking(replay))

    def fail(*_: object) -> None:
        raise error

    learner.network.forward = fail  # type: ignore[assignment]
    with pytest.raises(DeviceError, match=words):
        learner.learn(replay.sample_packed(np.random.default_rng(1), 8), 0.01)
