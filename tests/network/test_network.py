"""The network's point of view and its loss, with numbers that a person can check."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from trainer.core.errors import ConfigError, GameError
from trainer.game_config import contract_layout, metadata_of
from trainer.games import game_of, rules_of
from trainer.games.layout import Layout, layout_of
from trainer.games.position import Position
from trainer.network import (
    ConvStem,
    Family,
    MoverView,
    NetworkSettings,
    PolicyValueNetwork,
    PooledBias,
    Residual,
    SqueezeExcite,
    alphazero_loss,
    create_network,
)
from trainer.replay import Metadata
from trainer.settings.groups.network import Pooling
from trainer.settings.loop import LoopConfig

CONNECT4 = metadata_of(game_of("connect4"))


def loss_of(
    logits: list[float], value: float, legal: list[int], visits: list[float], outcome: float
) -> tuple[float, float, float]:
    """The loss of a batch of one row."""
    loss = alphazero_loss(
        torch.tensor([logits]),
        torch.tensor([[value]]),
        torch.tensor([legal], dtype=torch.bool),
        torch.tensor([visits]),
        torch.tensor([outcome]),
    )
    return loss.total.item(), loss.policy.item(), loss.value.item()


def test_two_equal_legal_moves_cost_ln_2() -> None:
    """An illegal move's logit doesn't matter."""
    total, policy, value = loss_of([1.0, 1.0, 50.0], 0.5, [1, 1, 0], [1.0, 0.0, 0.0], 1.0)
    assert policy == pytest.approx(math.log(2))
    assert value == pytest.approx(0.25)  # (1 - 0.5)^2
    assert total == pytest.approx(math.log(2) + 0.25)


def test_the_policy_loss_is_the_cross_entropy() -> None:
    """Softmax of (0, ln 3) is (1/4, 3/4): -(1/2 ln 1/4 + 1/2 ln 3/4)."""
    _, policy, _ = loss_of([0.0, math.log(3)], 0.0, [1, 1], [0.5, 0.5], 0.0)
    assert policy == pytest.approx(-(0.5 * math.log(1 / 4) + 0.5 * math.log(3 / 4)))


def test_a_row_without_policy_target_trains_the_value_only() -> None:
    """One of two rows has a policy target: the policy loss is that row's, not half of it."""
    loss = alphazero_loss(
        torch.zeros(2, 2, requires_grad=True),
        torch.tensor([[1.0], [0.0]]),
        torch.ones(2, 2, dtype=torch.bool),
        torch.tensor([[1.0, 0.0], [0.0, 0.0]]),
        torch.tensor([-1.0, 0.0]),
    )
    assert loss.policy.item() == pytest.approx(math.log(2))
    assert loss.value.item() == pytest.approx(2.0)  # (4 + 0) / 2


def test_the_gradient_is_finite_if_moves_are_illegal() -> None:
    """The gradient of a masked logit is 0, not NaN."""
    logits = torch.tensor([[0.3, -0.2, 5.0]], requires_grad=True)
    legal = torch.tensor([[True, True, False]])
    alphazero_loss(logits, torch.zeros(1, 1), legal, torch.tensor([[0.5, 0.5, 0.0]]), torch.zeros(1)).total.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 2] == 0
    p = 1 / (1 + math.exp(-0.5))
    assert logits.grad[0, 0].item() == pytest.approx(p - 0.5, rel=1e-5)  # softmax minus target


def test_the_mover_sees_its_own_stones_first() -> None:
    """Connect 4 after red in column 0, yellow in column 6: the planes are swapped between red's and yellow's view."""
    position = Position.first(rules_of("connect4")).play(0).play(6)
    view = MoverView(CONNECT4, contract_layout(CONNECT4))
    red = view(torch.from_numpy(position.observation)[None])[0]
    assert np.flatnonzero(red[:42]).tolist() == [0]
    assert np.flatnonzero(red[42:84]).tolist() == [6]
    yellow = view(torch.from_numpy(position.play(3).observation)[None])[0]
    assert np.flatnonzero(yellow[:42]).tolist() == [6]
    assert np.flatnonzero(yellow[42:84]).tolist() == [0, 3]
    assert red[84:].tolist() == yellow[84:].tolist() == [1] * 7


def test_both_seats_get_the_same_answer_for_the_same_view() -> None:
    """With the stones and the seat swapped, the answer stays the same, bit for bit."""
    torch.manual_seed(0)
    network = PolicyValueNetwork(CONNECT4)
    position = Position.first(rules_of("connect4")).play(3).play(3).play(2)
    seen = torch.from_numpy(position.observation)[None]
    other = torch.cat([seen[:, 42:84], seen[:, :42], seen[:, 84:91], seen[:, 92:], seen[:, 91:92]], dim=1)
    assert torch.equal(network(seen)[0], network(other)[0])
    assert torch.equal(network(seen)[1], network(other)[1])


def test_an_observation_with_an_unknown_layout_is_not_changed() -> None:
    """If the legal moves don't come right after two planes of the board, it is unknown which numbers are whose stones."""
    unknown = replace(CONNECT4, env_id="mystery", legal_mask_offset=80)
    observation = torch.arange(93.0)[None]
    assert torch.equal(MoverView(unknown, contract_layout(unknown))(observation), observation)


def test_the_value_stays_within_one() -> None:
    """Even for absurd inputs."""
    network = PolicyValueNetwork(CONNECT4)
    _, value = network(torch.full((1, 93), 1e6))
    assert -1 <= value.item() <= 1


def test_the_stem_sees_the_board_row_by_row() -> None:
    """A filter that counts own stones in a row of four finds 4 exactly where red's four stones are, row by row."""
    position = Position.first(rules_of("connect4"))
    for column in (2, 2, 3, 3, 4, 4, 5):
        position = position.play(column)
    layout = layout_of(game_of("connect4"))
    stem = ConvStem(CONNECT4, layout, 1, torch.nn.ReLU())
    with torch.no_grad():
        stem.conv.weight.zero_()
        stem.conv.weight[0, 0, 0] = 1  # own plane, first row of the kernel
        stem.conv.bias.zero_()
    found = stem(MoverView(CONNECT4, layout)(torch.from_numpy(position.observation)[None]))[0]
    assert found[:12].reshape(3, 4).tolist() == [[2, 3, 4, 3], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert found[12:].tolist() == [0] * 7  # red has won: no move is legal, and red is still the mover


def test_the_stem_sees_whole_rows_and_columns() -> None:
    """Filters that count own stones find them row by row, then column by column, behind the results of the others."""
    position = Position.first(rules_of("connect4"))
    for column in (2, 2, 3, 3, 2, 4):
        position = position.play(column)
    layout = layout_of(game_of("connect4"))
    stem = ConvStem(CONNECT4, layout, 1, torch.nn.ReLU(), lines=1)
    with torch.no_grad():
        for conv in stem.convolutions.values():
            conv.weight.zero_()
            conv.weight[0, 0] = 1  # own plane
            conv.bias.zero_()
    found = stem(MoverView(CONNECT4, layout)(torch.from_numpy(position.observation)[None]))[0]
    assert found[12:18].tolist() == [2, 0, 1, 0, 0, 0]  # from the bottom row up
    assert found[18:25].tolist() == [0, 0, 2, 1, 0, 0, 0]
    assert found[25:].tolist() == [1] * 7  # the legal moves


def test_an_expected_result_is_learned() -> None:
    """Trained on the outcome 0.4 again and again, a network answers 0.4."""
    torch.manual_seed(0)
    network = PolicyValueNetwork(CONNECT4, NetworkSettings(width=8))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    rows, legal = torch.ones(1, 93), torch.ones(1, 7, dtype=torch.bool)
    for _ in range(200):
        optimizer.zero_grad()
        network.loss(rows, legal, torch.full((1, 7), 1 / 7), torch.tensor([0.4])).total.backward()
        optimizer.step()
    assert network(rows)[1].item() == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("family", get_args(Family))
def test_the_heads_keep_all_bits_if_the_body_has_fewer(family: Family) -> None:
    """With half of the bits a value close to 1 would be 1, and learn nothing."""
    network = PolicyValueNetwork(CONNECT4, NetworkSettings(family, 16))
    with torch.autocast("cpu", torch.bfloat16):
        assert network.body(network.view(torch.zeros(2, 93))).dtype == torch.bfloat16
        assert [part.dtype for part in network(torch.zeros(2, 93))] == [torch.float32, torch.float32]


@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_the_blocks_of_a_new_tower_are_the_identity(pooling: Pooling) -> None:
    """Yet their last convolutions get gradients, so they learn from the first step on."""
    network = PolicyValueNetwork(CONNECT4, NetworkSettings("residual", 16, blocks=3, pooling=pooling))
    blocks = [module for module in network.body[0].tower if isinstance(module, Residual)]
    image = torch.rand(1, 4, 6, 7)
    assert len(blocks) == 3
    assert all(torch.equal(block(image), image) for block in blocks)
    rows, legal = torch.ones(3, 93), torch.ones(3, 7, dtype=torch.bool)
    network.loss(rows, legal, torch.full((3, 7), 1 / 7), torch.ones(3)).total.backward()
    for block in blocks:
        *_, last = (module for module in block.inner if isinstance(module, torch.nn.Conv2d))
        assert last.weight.grad is not None
        assert last.weight.grad.abs().sum() > 0


def test_a_tower_sees_the_legal_moves() -> None:
    """In some games they alone tell positions apart. Their weights start with 0, and get a gradient at once."""
    network = PolicyValueNetwork(CONNECT4, NetworkSettings("residual", 16, blocks=1))
    rows = torch.zeros(2, 93)
    rows[0, 84:91] = 1  # the second position has no legal move
    policy, value = network(rows)
    assert torch.equal(policy[0], policy[1])
    assert torch.equal(value[0], value[1])
    value.sum().backward()
    assert network.body[0].moves.weight.grad is not None
    with torch.no_grad():
        network.body[0].moves.weight.add_(network.body[0].moves.weight.grad)
    policy, value = network(rows)
    assert not torch.equal(value[0], value[1])


def test_squeezing_scales_channels_by_the_means_of_all() -> None:
    """Two channels with means 1 and 3; squeezed to relu(1 + 3) = 4, and excited to 0 and 4: halved, and nearly kept."""
    squeeze = SqueezeExcite(2)
    with torch.no_grad():
        squeeze.squeeze.weight.copy_(torch.tensor([[1.0, 1.0]]))
        squeeze.squeeze.bias.zero_()
        squeeze.excite.weight.copy_(torch.tensor([[0.0], [1.0]]))
        squeeze.excite.bias.zero_()
    image = torch.tensor([[[[0.0, 2.0]], [[3.0, 3.0]]]])
    found = squeeze(image)
    assert found[0, 0, 0].tolist() == [0.0, 1.0]
    assert found[0, 1, 0].tolist() == pytest.approx([3 / (1 + math.exp(-4))] * 2)


def test_a_pooled_bias_adds_means_and_maxima() -> None:
    """Channel 0 gets its own mean and the maximum of channel 1; channel 1 gets nothing."""
    pooled = PooledBias(2)
    with torch.no_grad():
        pooled.bias.weight.copy_(torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))
        pooled.bias.bias.zero_()
    image = torch.tensor([[[[0.0, 2.0]], [[3.0, 5.0]]]])
    assert pooled(image).tolist() == [[[[6.0, 8.0]], [[3.0, 5.0]]]]


@pytest.mark.parametrize("family", get_args(Family))
def test_a_network_is_created_by_the_name_of_its_game(family: Family) -> None:
    """Its outputs have the game's dimensions, and its weights are those of a network made from the game's metadata."""
    torch.manual_seed(0)
    named = create_network("connect4", NetworkSettings(family, 12))
    torch.manual_seed(0)
    made = PolicyValueNetwork(CONNECT4, NetworkSettings(family, 12))
    assert [part.shape for part in named(torch.zeros(2, 93))] == [(2, 7), (2, 1)]
    for ours, theirs in zip(named.state_dict().values(), made.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_network_without_a_width_has_the_one_of_its_game() -> None:
    """An mlp's first layer has the width, its second half of it. A game without rules is an error."""
    network = create_network("tictactoe")
    assert (network.body[0].out_features, network.body[2].out_features) == (128, 64)
    with pytest.raises(GameError, match="no rules for a game named 'chess'"):
        create_network("chess")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (NetworkSettings(width=0), "--width is 0; at least 1 is needed"),
        (NetworkSettings("conv", lines=-1), "--lines is -1; 0 or more is needed"),
        (LoopConfig(blocks=0), "--blocks is 0; at least 1 is needed"),
    ],
)
def test_a_network_of_a_size_that_can_not_be_is_refused(settings: NetworkSettings, message: str) -> None:
    """Also in Python, where no command has checked it."""
    with pytest.raises(ConfigError, match=message):
        create_network("connect4", settings)


@pytest.mark.parametrize("family", ["conv", "residual"])
def test_a_game_without_planes_has_no_board_to_convolve(family: Family) -> None:
    """It may show the network features alone. The message names the family that can learn it."""
    layout = Layout(0, 6, 2, 2, num_actions=4, exchange=None, actions=None)
    game = Metadata("counts", "Counts", 2, 2, num_actions=4, obs_size=12, legal_mask_offset=6)
    with pytest.raises(
        ConfigError, match="counts shows no planes, so there is no board to convolve; use --network mlp"
    ):
        PolicyValueNetwork(game, NetworkSettings(family, 64), layout)
    PolicyValueNetwork(game, NetworkSettings("mlp", 64), layout)
