"""Steps by our own kernels do what autograd and torch's AdamW do.

These tests compare what has one right answer on every processor: a gradient, or a step from the same weights, with float64.
They never compare the ends of two runs, which diverge once rounding puts the input of a ReLU on the other side of 0.
"""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torture.resume import differences

from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.network import ConvStem, Family, Loss, NetworkSettings, PolicyValueNetwork
from trainer.replay import Batch, Metadata
from trainer.settings.groups.network import Activation
from trainer.settings.trainer import TrainerConfig
from trainer.training.learner import Learner
from trainer.training.steps.adamw import AdamWSteps, adamw_kernels
from trainer.training.steps.gradient import can_differentiate, parameters_of, pieces
from trainer.training.steps.torch_steps import TorchSteps

TICTACTOE, CONNECT4 = metadata_of(game_of("tictactoe")), metadata_of(game_of("connect4"))
BREAKTHROUGH = metadata_of(game_of("breakthrough:rows=6,columns=6"))
"""A game in which few actions are legal, so that only their logits are computed."""
UNKNOWN = replace(TICTACTOE, env_id="mystery", legal_mask_offset=10)
"""A game whose observation has an unknown layout: it isn't turned to the mover's side."""
both_sizes = pytest.mark.parametrize(
    ("game", "rows"), [(TICTACTOE, 64), (CONNECT4, 1024), (BREAKTHROUGH, 300)], ids=["small", "large", "few legal"]
)


def network_of(
    game: Metadata,
    family: Family = "mlp",
    width: int | None = None,
    activation: Activation = "relu",
    units: int | None = None,
    lines: int = 0,
) -> PolicyValueNetwork:
    """A network; the weights are the same in each call."""
    torch.manual_seed(0)
    return PolicyValueNetwork(game, NetworkSettings(family, width, units, activation=activation, lines=lines))


def exact(network: PolicyValueNetwork) -> PolicyValueNetwork:
    """The network with its weights rounded to multiples of 1/64: sums are exact, so all agree on what a ReLU passes."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(64).round_().div_(64)
    return network


def batch_of(game: Metadata, rows: int, seed: int = 0) -> Batch:
    """Random rows. In row 0 all moves are legal, in row 1 only one is, and rows 2 to 9 have no policy target."""
    generator = np.random.default_rng(seed)
    observation = (generator.random((rows, game.obs_size)) < 0.4).astype(np.float32)
    observation[:, -2] = 1 - observation[:, -1]
    legal = generator.random((rows, game.num_actions)) < 0.6
    legal[:, 3] |= ~legal.any(axis=1)
    legal[0], legal[1] = True, np.arange(game.num_actions) == 3
    observation[:, game.legal_mask_offset :][:, : game.num_actions] = legal
    visits = (generator.random(legal.shape) * legal).astype(np.float32)
    visits /= visits.sum(axis=1, keepdims=True)
    visits[2:10] = 0
    outcome = generator.uniform(-1, 1, rows).astype(np.float32)
    return Batch(observation, legal, visits, outcome)


def kernel_steps_of(network: PolicyValueNetwork, grad_clip: float = 1.0) -> AdamWSteps:
    """Steps for a copy of a network, by our own kernels; the network itself stays as it is."""
    own = copy.deepcopy(network)
    return AdamWSteps(own, torch.optim.AdamW(own.parameters()), grad_clip)


def by_autograd(network: PolicyValueNetwork, batch: Batch) -> tuple[Loss, list[Tensor]]:
    """The loss of a batch and its gradient for each of `parameters_of`, by autograd in float64."""
    network = copy.deepcopy(network).double()
    observation, visits, outcome = (
        torch.from_numpy(part).double() for part in (batch.observation, batch.policy_target, batch.value_target)
    )
    loss = network.loss(observation, torch.from_numpy(batch.legal), visits, outcome)
    return loss, list(torch.autograd.grad(loss.total, parameters_of(network)))


def assert_agree(network: PolicyValueNetwork, steps: AdamWSteps, batch: Batch) -> None:
    """Losses agree to a relative 1e-6; gradients to 1e-6 of the largest entry, because they are sums of terms that cancel.

    The weights must be `exact`. For a convolutional network, whose layers have thousands of inputs, 4e-6.
    """
    expected, gradients = by_autograd(network, batch)
    found = steps.differentiate(batch)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs.detach(), rtol=1e-6, atol=1e-7)
    bound = 4e-6 if isinstance(network.body[0], ConvStem) else 1e-6
    gradient = torch.cat([part.flatten() for part in gradients])
    own = torch.from_numpy(steps.gradient).double()
    torch.testing.assert_close(own, gradient, rtol=0, atol=bound * gradient.abs().max().item())


@pytest.mark.parametrize("family", ["mlp", "conv"])
@pytest.mark.parametrize("activation", get_args(Activation))
@both_sizes
def test_losses_and_gradients_equal_autograds(
    game: Metadata, rows: int, family: Family, activation: Activation
) -> None:
    """For random rows, with initial weights and with heads ten times as large."""
    network = exact(network_of(game, family, activation=activation))
    for seed in range(3):
        assert_agree(network, kernel_steps_of(network), batch_of(game, rows, seed))
    with torch.no_grad():
        network.policy.weight.mul_(10)
        network.value.weight.mul_(10)
    assert_agree(network, kernel_steps_of(network), batch_of(game, rows))


@pytest.mark.parametrize("width", [1, 63, 65, 128])
@pytest.mark.parametrize("family", ["mlp", "conv"])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_the_gradient_is_right_at_any_width(family: Family, width: int, activation: Activation) -> None:
    """Widths below, at and above a block of 64, with a number of rows that isn't a multiple of 128."""
    network = exact(network_of(CONNECT4, family, width, activation))
    assert_agree(network, kernel_steps_of(network), batch_of(CONNECT4, 200))


@pytest.mark.parametrize(
    ("filters", "units", "lines"), [(64, 130, 0), (130, 1, 0), (20, 64, 0), (20, 70, 30), (64, 64, 64)]
)
@pytest.mark.parametrize("activation", get_args(Activation))
def test_the_gradient_is_right_whatever_the_sizes_of_the_layers(
    filters: int, units: int, lines: int, activation: Activation
) -> None:
    """The hidden layers, and the filters for rows and columns, have a size of their own."""
    network = exact(network_of(CONNECT4, "conv", filters, activation, units, lines))
    assert network.policy.in_features == units
    assert_agree(network, kernel_steps_of(network), batch_of(CONNECT4, 200))


@pytest.mark.parametrize("bias", [-1.0, 1.0])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_the_gradient_is_right_from_either_side_of_a_layer(bias: float, activation: Activation) -> None:
    """The kernels add it up over the side with fewer active numbers: inputs, or results. A bias decides which one it is."""
    network = exact(network_of(CONNECT4, "conv", 64, activation))
    _, of_stem, _, of_wide, *_ = parameters_of(network)
    with torch.no_grad():
        of_stem += bias
        of_wide -= bias
    steps = kernel_steps_of(network)
    assert_agree(network, steps, batch_of(CONNECT4, 256))
    _, after_stem, *_ = steps.loss_gradient.from_results
    assert after_stem == (bias > 0)


def test_the_gradient_is_right_for_every_kind_of_row() -> None:
    """No row with a policy target; all moves legal; one move legal; two rows; an observation with an unknown layout."""
    network, batch = exact(network_of(TICTACTOE)), batch_of(TICTACTOE, 64)
    all_legal, one_legal = np.ones((64, 9), np.bool_), np.tile(np.arange(9) == 4, (64, 1))
    for changed in (
        replace(batch, policy_target=np.zeros((64, 9), np.float32)),
        replace(batch, legal=all_legal),
        replace(batch, legal=one_legal, policy_target=one_legal.astype(np.float32)),
        batch_of(TICTACTOE, 2),
    ):
        assert_agree(network, kernel_steps_of(network), changed)
    unknown = exact(network_of(UNKNOWN))
    assert not unknown.view.swaps
    assert_agree(unknown, kernel_steps_of(unknown), batch_of(UNKNOWN, 64))


def test_batches_may_differ_in_size() -> None:
    """64 rows, 16, and 64 again."""
    network = exact(network_of(TICTACTOE))
    steps = kernel_steps_of(network)
    for rows in (64, 16, 64):
        assert_agree(network, steps, batch_of(TICTACTOE, rows))


def in_float64(
    network: PolicyValueNetwork, optimizer: dict[str, Any], gradients: Sequence[Tensor], grad_clip: float
) -> PolicyValueNetwork:
    """The network after torch's AdamW step in float64 with these gradients, from this state of the optimizer."""
    network = copy.deepcopy(network).double()
    reference = torch.optim.AdamW(network.parameters())
    reference.load_state_dict(optimizer)
    for parameter, gradient in zip(parameters_of(network), gradients, strict=True):
        parameter.grad = gradient.double()
    if grad_clip:
        torch.nn.utils.clip_grad_norm_(network.parameters(), grad_clip)
    reference.step()
    return network


@pytest.mark.parametrize("grad_clip", [0.0, 0.1, 1e9])
def test_a_step_equals_torchs_adamw(grad_clip: float) -> None:
    """Ten steps, each compared from the same weights, moments and gradients, clipped or not, to the last bits of a float."""
    network = network_of(CONNECT4)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.1)
    steps = AdamWSteps(network, optimizer, grad_clip)
    for seed in range(10):
        before, state = copy.deepcopy(network), copy.deepcopy(optimizer.state_dict())
        steps.step(batch_of(CONNECT4, 64, seed))
        steps.write_back()
        gradients = pieces(torch.from_numpy(steps.gradient), [part.shape for part in parameters_of(network)])
        expected = in_float64(before, state, gradients, grad_clip)
        for ours, theirs in zip(parameters_of(network), parameters_of(expected), strict=True):
            torch.testing.assert_close(ours.double(), theirs, rtol=1e-6, atol=1e-7)


def test_moments_of_an_unused_weight_never_become_subnormal() -> None:
    """They shrink with every step, and end at 0. Subnormal numbers would make a step slow."""
    weights, gradient = np.ones(100, np.float32), np.zeros(100, np.float32)
    mean, variance = (np.geomspace(1e-25, 1e-3, 100, dtype=np.float32) for _ in range(2))
    mean[::2] *= -1
    for step in range(1, 1001):
        adamw_kernels().adamw_step.adamw(
            weights, gradient, mean, variance, float(step), math.inf, 0.001, 0.0, 0.9, 0.9, 1e-8
        )
        for moments in (mean, variance):
            assert np.all((moments == 0) | (np.abs(moments) >= np.finfo(np.float32).tiny))
    assert not mean.any()
    assert not variance.any()


@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_breaks_the_weights_as_in_torch(strange: float, grad_clip: float) -> None:
    """A run that diverged is found by its weights. They must not go on as if the gradient were 0."""
    weights, gradient = np.ones(5, np.float32), np.full(5, 0.1, np.float32)
    gradient[3] = strange
    parameter = torch.nn.Parameter(torch.from_numpy(weights.copy()))
    parameter.grad = torch.from_numpy(gradient.copy())
    if grad_clip:
        nn.utils.clip_grad_norm_([parameter], grad_clip)
    torch.optim.AdamW([parameter], lr=0.001).step()
    mean, variance = np.zeros(5, np.float32), np.zeros(5, np.float32)
    adamw_kernels().adamw_step.adamw(
        weights, gradient, mean, variance, 1.0, grad_clip or math.inf, 0.001, 0.01, 0.9, 0.999, 1e-8
    )
    assert parameter[3].isnan()
    assert np.isnan(weights[3])


@pytest.fixture(params=["kernels", "autograd"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which a learner makes its steps."""
    step_by(request.param, monkeypatch)


def step_by(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make learners that are created from here on step in one of the two ways."""
    found = can_differentiate if way == "kernels" else lambda network: False
    monkeypatch.setattr("trainer.training.learner.can_differentiate", found)


def under_way(game: Metadata, config: TrainerConfig) -> Learner:
    """A learner after 99 steps with `exact` weights, an average, and moments of the size of gradients."""
    learner = Learner(exact(network_of(game)), config)
    learner.learn(batch_of(game, 64), 0.001)
    state = copy.deepcopy(learner.state())
    state["steps"] = 99
    state["network"] = exact(network_of(game)).state_dict()
    for average in state["published"].values():
        average.normal_()
    for moments in state["optimizer"]["state"].values():
        moments["step"].fill_(99)
        moments["exp_avg"].normal_(0, 1e-3)
        moments["exp_avg_sq"].uniform_(1e-6, 2e-6)
    learner.restore(state)
    return learner


@pytest.mark.usefixtures("way")
@both_sizes
def test_a_learners_step_is_an_adamw_step_along_autograds_gradient(game: Metadata, rows: int) -> None:
    """In the middle of a run, to a few hundred-thousandths of the step; a tenth of the new weights goes into the average."""
    config, batch = TrainerConfig(average=0.9, weight_decay=0.1, grad_clip=0.5), batch_of(game, rows)
    learner = under_way(game, config)
    before, state = copy.deepcopy(learner.network), copy.deepcopy(learner.state())
    loss, gradients = by_autograd(before, batch)
    expected = in_float64(before, state["optimizer"], gradients, config.grad_clip)
    assert learner.learn(batch, 0.001).total.item() == pytest.approx(loss.total.item(), rel=1e-6)
    for name, weight in expected.state_dict().items():
        average = 0.9 * state["published"][name].double() + 0.1 * weight
        assert (weight - before.state_dict()[name]).abs().max() > 1e-4
        torch.testing.assert_close(learner.network.state_dict()[name].double(), weight, rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(learner.published.state_dict()[name].double(), average, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("family", ["mlp", "conv"])
@both_sizes
def test_the_network_that_is_written_back_is_the_one_that_learned(game: Metadata, rows: int, family: Family) -> None:
    """After five steps its loss, by torch, is the one that the kernels find."""
    learner, batch = Learner(network_of(game, family), TrainerConfig(average=0.9)), batch_of(game, rows)
    for seed in range(5):
        learner.learn(batch_of(game, rows, seed), 0.01)
    expected, _ = by_autograd(learner.network, batch)
    torch.testing.assert_close(learner.learn(batch, 0.01).total.double(), expected.total.detach(), rtol=1e-5, atol=0)


@pytest.mark.usefixtures("way")
def test_a_pause_changes_nothing() -> None:
    """Ten steps, saved and loaded, and ten more equal twenty at once, bit for bit."""
    config = TrainerConfig(average=0.9)
    alone, paused = Learner(network_of(TICTACTOE), config), Learner(network_of(TICTACTOE), config)
    for step in range(20):
        if step == 10:
            stored = io.BytesIO()
            torch.save(paused.state(), stored)
            paused = Learner(network_of(TICTACTOE), config)
            paused.restore(torch.load(io.BytesIO(stored.getvalue()), weights_only=True))
        for learner in (alone, paused):
            learner.learn(batch_of(TICTACTOE, 64, seed=step), 0.001)
    assert differences(alone.state(), paused.state()) == []


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("other", ["kernels", "autograd"])
def test_checkpoints_can_be_exchanged_between_the_ways_of_stepping(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one way saved, the other has after loading, bit for bit."""
    config = TrainerConfig(average=0.9)
    state = copy.deepcopy(under_way(TICTACTOE, config).state())
    step_by(other, monkeypatch)
    learner = Learner(network_of(TICTACTOE), config)
    learner.restore(copy.deepcopy(state))
    assert differences(learner.state(), state) == []
    learner.learn(batch_of(TICTACTOE, 64), 0.001)
    assert differences(learner.state(), state) != []


def test_a_nan_weight_makes_the_loss_nan() -> None:
    """No ReLU hides it."""
    network = network_of(TICTACTOE)
    with torch.no_grad():
        network.body[0].weight[0, 0] = torch.nan
    batch = batch_of(TICTACTOE, 64)
    batch.observation[0, 0] = 1
    assert kernel_steps_of(network).differentiate(batch).total.isnan()


class HalfLoss(PolicyValueNetwork):
    """A network with a loss of its own."""

    def loss(self, *batch: Tensor) -> Loss:
        """Half of the usual one."""
        return Loss(*(part / 2 for part in super().loss(*batch)))


def test_other_networks_are_left_to_autograd() -> None:
    """A residual tower, networks with another activation or with a loss of their own: a learner trains them."""
    tower, smooth = network_of(TICTACTOE, "residual", 8), network_of(TICTACTOE)
    filters = network_of(TICTACTOE, "conv", 8)
    smooth.body[1] = filters.body[0].activation = nn.GELU()
    for activation in get_args(Activation):
        assert can_differentiate(network_of(TICTACTOE, activation=activation))
        assert can_differentiate(network_of(TICTACTOE, "conv", activation=activation))
    for network in (tower, smooth, filters, HalfLoss(TICTACTOE)):
        assert not can_differentiate(network)
        learner = Learner(network, TrainerConfig())
        assert type(learner.steps) is TorchSteps
        assert learner.learn(batch_of(TICTACTOE, 64), 0.001).total.item() > 0
