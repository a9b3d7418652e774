"""The step that is written out does what autograd does."""

from __future__ import annotations

import copy
import io
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.network import ConvStem, Family, Loss, PolicyValueNet, ValueHead
from trainer.replay import Batch, Metadata
from trainer.settings.trainer import TrainerConfig
from trainer.training.adamw import Descent
from trainer.training.gradient import can_differentiate, parameters_of
from trainer.training.learner import Learner

TICTACTOE, CONNECT4 = metadata_of(game_of("tictactoe")), metadata_of(game_of("connect4"))
UNKNOWN = replace(TICTACTOE, env_id="mystery", legal_mask_offset=10)
"""Of an observation that nobody knows: it isn't seen from the mover's side."""
both_sizes = pytest.mark.parametrize(("game", "rows"), [(TICTACTOE, 64), (CONNECT4, 1024)], ids=["small", "large"])


def network_of(
    game: Metadata, family: Family = "mlp", width: int | None = None, value_head: ValueHead = "scalar"
) -> PolicyValueNet:
    """A network, always with the same weights."""
    torch.manual_seed(0)
    return PolicyValueNet(game, family, width, value_head)


def exact(network: PolicyValueNet) -> PolicyValueNet:
    """The network with multiples of 1/64 as weights, by which sums are exact: a ReLU passes them for all or for none."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(64).round_().div_(64)
    return network


def batch_of(game: Metadata, rows: int, seed: int = 0) -> Batch:
    """Random rows. In the first all moves are legal, in the second one is, and rows 2 to 9 have no policy target."""
    generator = np.random.default_rng(seed)
    observation = (generator.random((rows, game.obs_size)) < 0.4).astype(np.float32)
    observation[:, -2] = 1 - observation[:, -1]
    legal = generator.random((rows, game.num_actions)) < 0.6
    legal[:, 3] |= ~legal.any(axis=1)
    legal[0], legal[1] = True, np.arange(game.num_actions) == 3
    visits = (generator.random(legal.shape) * legal).astype(np.float32)
    visits /= visits.sum(axis=1, keepdims=True)
    visits[2:10] = 0
    outcome = generator.uniform(-1, 1, rows).astype(np.float32)
    return Batch(observation, legal, visits, outcome)


def descent_of(network: PolicyValueNet, grad_clip: float = 1.0) -> Descent:
    """Written-out steps of a copy, which leave the network as it is."""
    own = copy.deepcopy(network)
    return Descent(own, torch.optim.AdamW(own.parameters()), grad_clip)


def by_autograd(network: PolicyValueNet, batch: Batch) -> tuple[Loss, Tensor]:
    """The loss of a batch and its gradient [P], in the order of `parameters_of`."""
    observation, *targets = (torch.from_numpy(part) for part in vars(batch).values())
    loss = network.loss(observation, *targets)
    gradients = torch.autograd.grad(loss.total, parameters_of(network))
    return loss, torch.cat([gradient.flatten() for gradient in gradients])


def assert_agree(network: PolicyValueNet, descent: Descent, batch: Batch) -> None:
    """Losses to 1e-6 of them; gradients to 1e-6 of the largest entry, for they are sums of many that cancel.

    Of a convolutional network, whose layers have thousands of inputs, to 4e-6.
    """
    expected, gradient = by_autograd(network, batch)
    found = descent.differentiate(batch)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-6, atol=1e-7)
    bound = 4e-6 if isinstance(network.body[0], ConvStem) else 1e-6
    own = torch.from_numpy(descent.gradient)
    torch.testing.assert_close(own, gradient, rtol=0, atol=bound * gradient.abs().max().item())


@pytest.mark.parametrize("family", ["mlp", "conv"])
@pytest.mark.parametrize("value_head", get_args(ValueHead))
@both_sizes
def test_losses_and_gradients_are_those_of_autograd(
    game: Metadata, rows: int, family: Family, value_head: ValueHead
) -> None:
    """On random rows, for weights out of the blue and for weights that are ten times as large."""
    network = exact(network_of(game, family, value_head=value_head))
    for seed in range(3):
        assert_agree(network, descent_of(network), batch_of(game, rows, seed))
    with torch.no_grad():
        network.policy.weight.mul_(10)
        network.value.weight.mul_(10)
    assert_agree(network, descent_of(network), batch_of(game, rows))


@pytest.mark.parametrize("width", [1, 63, 65, 128])
@pytest.mark.parametrize("family", ["mlp", "conv"])
def test_any_width_has_the_gradient_of_autograd(family: Family, width: int) -> None:
    """Of which a block of the kernels is a part, or a multiple; in a number of rows of which a stack is none."""
    network = exact(network_of(CONNECT4, family, width))
    assert_agree(network, descent_of(network), batch_of(CONNECT4, 200))


@pytest.mark.parametrize("bias", [-1.0, 1.0])
def test_where_little_or_much_is_active_the_gradient_is_the_same(bias: float) -> None:
    """A layer's products are made from the side where fewer numbers are active: inputs, or results."""
    network = exact(network_of(CONNECT4, "conv", 64))
    _, of_stem, _, of_wide, *_ = parameters_of(network)
    with torch.no_grad():
        of_stem += bias
        of_wide -= bias
    descent = descent_of(network)
    assert_agree(network, descent, batch_of(CONNECT4, 256))
    _, joined, *_ = descent._differentiation._gradient.reversed
    assert joined == (bias > 0)


def test_rows_of_every_kind_have_the_gradient_of_autograd() -> None:
    """No row with a policy target; all moves legal; one move legal; two rows; an observation of unknown layout."""
    network, batch = network_of(TICTACTOE), batch_of(TICTACTOE, 64)
    all_legal, one_legal = np.ones((64, 9), np.bool_), np.tile(np.arange(9) == 4, (64, 1))
    for changed in (
        replace(batch, visits=np.zeros((64, 9), np.float32)),
        replace(batch, legal=all_legal),
        replace(batch, legal=one_legal, visits=one_legal.astype(np.float32)),
        batch_of(TICTACTOE, 2),
    ):
        assert_agree(network, descent_of(network), changed)
    assert not network_of(UNKNOWN).view.swaps
    assert_agree(network_of(UNKNOWN), descent_of(network_of(UNKNOWN)), batch_of(UNKNOWN, 64))


def test_a_batch_of_another_size_is_taken() -> None:
    """64 rows, 16, and 64 again."""
    network = network_of(TICTACTOE)
    descent = descent_of(network)
    for rows in (64, 16, 64):
        assert_agree(network, descent, batch_of(TICTACTOE, rows))


@pytest.mark.parametrize("grad_clip", [0.0, 0.1, 1e9])
def test_a_step_is_that_of_torchs_adamw(grad_clip: float) -> None:
    """Given the same gradients, clipped or not: the same weights after each of ten steps, to the last bits of a float."""
    network, config = network_of(CONNECT4), TrainerConfig(weight_decay=0.1)
    theirs = parameters_of(copy.deepcopy(network))
    optimizer = torch.optim.AdamW(theirs, lr=0.01, weight_decay=config.weight_decay)
    own = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=config.weight_decay)
    descent = Descent(network, own, grad_clip)
    for seed in range(10):
        descent.step(batch_of(CONNECT4, 64, seed))
        parts = torch.split(torch.from_numpy(descent.gradient), [tensor.numel() for tensor in theirs])
        for tensor, part in zip(theirs, parts, strict=True):
            tensor.grad = part.view(tensor.shape).clone()
        if grad_clip:
            torch.nn.utils.clip_grad_norm_(theirs, grad_clip)
        optimizer.step()
        for ours, tensor in zip(parameters_of(network), theirs, strict=True):
            torch.testing.assert_close(ours, tensor, rtol=1e-6, atol=1e-7)


def learners(game: Metadata, config: TrainerConfig) -> tuple[Learner, Learner]:
    """Two of the same weights: one with steps that are written out, one with autograd."""
    ours, theirs = Learner(network_of(game), config), Learner(network_of(game), config)
    assert ours._descent is not None
    theirs._descent = None
    return ours, theirs


@both_sizes
def test_twenty_steps_end_where_autograds_do(game: Metadata, rows: int) -> None:
    """Weights and their average, to a thousandth of a step's length; what is published follows, too."""
    ours, theirs = learners(game, TrainerConfig(average=0.9))
    for step in range(20):
        batch = batch_of(game, rows, seed=step)
        found, expected = ours.learn(batch, 0.001), theirs.learn(batch, 0.001)
        assert found.total.item() == pytest.approx(expected.total.item(), rel=1e-5)
    for one, other in ((ours.network, theirs.network), (ours.published, theirs.published)):
        for name, weight in one.state_dict().items():
            torch.testing.assert_close(weight, other.state_dict()[name], rtol=0, atol=1e-5)


def test_a_checkpoint_fits_either_way_of_stepping() -> None:
    """Ten steps, saved and loaded, ten more: all four ways end alike, and ours as without the pause, bit for bit."""
    config = TrainerConfig(average=0.9)

    def go_on(learner: Learner, first: int) -> None:
        for step in range(first, first + 10):
            learner.learn(batch_of(TICTACTOE, 64, seed=step), 0.001)

    ends = []
    for before in (0, 1):
        learner = learners(TICTACTOE, config)[before]
        go_on(learner, 0)
        stored = io.BytesIO()
        torch.save(learner.state(), stored)
        for after in (0, 1):
            resumed = learners(TICTACTOE, config)[after]
            resumed.restore(torch.load(io.BytesIO(stored.getvalue()), weights_only=True))
            go_on(resumed, 10)
            ends.append(torch.cat([weight.flatten() for weight in resumed.network.state_dict().values()]))
    for end in ends:
        torch.testing.assert_close(end, ends[0], rtol=0, atol=1e-5)
    alone, _ = learners(TICTACTOE, config)
    go_on(alone, 0)
    go_on(alone, 10)
    assert torch.equal(torch.cat([weight.flatten() for weight in alone.network.state_dict().values()]), ends[0])


def test_a_weight_that_is_no_number_shows_in_the_loss() -> None:
    """It isn't rectified away."""
    network = network_of(TICTACTOE)
    with torch.no_grad():
        network.body[0].weight[0, 0] = torch.nan
    batch = batch_of(TICTACTOE, 64)
    batch.observation[0, 0] = 1
    assert descent_of(network).differentiate(batch).total.isnan()


def test_other_networks_are_left_to_autograd() -> None:
    """A tower, another activation; a learner takes them all the same."""
    tower, smooth = PolicyValueNet(TICTACTOE, "residual", 8), PolicyValueNet(TICTACTOE)
    smooth.body[1] = nn.GELU()
    assert can_differentiate(PolicyValueNet(TICTACTOE))
    for network in (tower, smooth):
        assert not can_differentiate(network)
        learner = Learner(network, TrainerConfig())
        assert learner._descent is None
        assert learner.learn(batch_of(TICTACTOE, 64), 0.001).total.item() > 0
