"""The evaluation cache changes no game: with models as they are published, and across a reload."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from kinds import every_kind
from numpy.typing import NDArray

from trainer.actor.guarded import Clock, GuardedEvaluator
from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.core.errors import ModelError
from trainer.evaluators.interface import Evaluator, FunctionEvaluator
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.evaluators.sparse import SparseAccelerator, SparseEvaluator
from trainer.evaluators.uniform import uniform
from trainer.export import Exporter
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.games.base import Mask
from trainer.network import Family, NetworkSettings, create_network
from trainer.settings.groups.self_play import SelfPlaySettings


@cache
def exported(env_id: str, family: Family, seed: int) -> SparseEvaluator:
    """A small network with random weights, by the way that published ones go, evaluated as an actor does.

    A row's answer depends on that row alone. Of ONNX Runtime's nobody promises that, to the last bit.
    """
    game = metadata_of(game_of(env_id))
    torch.manual_seed(seed)
    network = create_network(env_id, NetworkSettings(family, 32))
    content = Exporter(network, game).to_bytes(1, np.zeros((1, game.obs_size), np.float32))
    evaluator = SparseAccelerator(env_id)(content, OnnxEvaluator(content, "small.onnx", env_id))
    assert evaluator
    return evaluator


def games_of(env_id: str, models: list[Evaluator], entries: int, slots: int = 40) -> dict[int, PlayedGame]:
    """Sixty games of each model, the next model's after the last of the one before: the model is reloaded between them."""
    numbers: list[Iterator[int]] = [iter(range(first, first + 60)) for first in range(0, 60 * len(models), 60)]
    at_hand = SimpleNamespace(number=0)

    class Numbers(Iterator[int]):
        """Those of the model at hand."""

        def __next__(self) -> int:
            return next(numbers[at_hand.number])

    config = SelfPlaySettings(simulations=24, random_openings=0.3, cache=entries)
    player = SelfPlay(env_id, slots, Numbers(), 7, "a", config)
    games: dict[int, PlayedGame] = {}
    for at_hand.number, model in enumerate(models):
        while len(games) < 60 * (at_hand.number + 1):
            games |= {game.number: game for game in player.step(model)}
    return games


@every_kind
@pytest.mark.parametrize("family", ["mlp", "conv"])
@pytest.mark.parametrize("asks", ["the kernel", "Python"])
def test_games_are_the_same_with_and_without_a_cache(env_id: str, family: Family, asks: str) -> None:
    """Every position, visit and value of 120 games, a reload in the middle; tables of one, two and many entries."""
    exports = [exported(env_id, family, seed) for seed in (1, 2)]
    models: list[Evaluator] = [FunctionEvaluator(model) if asks == "Python" else model for model in exports]
    plain = games_of(env_id, models, 0)
    for entries in (1, 2, 50_000):
        cached = games_of(env_id, models, entries)
        assert cached.keys() == plain.keys()
        for number, game in plain.items():
            for name in ("states", "actions", "visits", "values", "first_ply"):
                found, expected = getattr(cached[number], name), getattr(game, name)
                np.testing.assert_array_equal(found, expected, err_msg=f"{number}: {name}")


@every_kind
@pytest.mark.parametrize("family", ["mlp", "conv"])
def test_a_row_is_answered_alike_in_every_batch(env_id: str, family: Family) -> None:
    """Its place and the rows beside it change no bit: batches of a cache are smaller, and otherwise composed."""
    model, game = exported(env_id, family, 1), game_of(env_id)
    dice = np.random.default_rng(2)
    rows = dice.integers(0, 2, (256, game.obs_size)).astype(np.float32)
    legal = dice.random((256, game.num_actions)) < 0.6
    prior, value = model(rows, legal)
    for batch in (5, 32, 40, 64, 160, 224):
        chosen = dice.permutation(256)[:batch]
        part = model(rows[chosen], legal[chosen])
        np.testing.assert_array_equal(part[0], prior[chosen])
        np.testing.assert_array_equal(part[1], value[chosen])


# --- What player threads hand to search ---


def shown(env_id: str = "tictactoe") -> tuple[NDArray[np.float32], Mask]:
    """Four rows."""
    game = game_of(env_id)
    return np.ones((4, game.obs_size), np.float32), np.ones((4, game.num_actions), np.bool_)


class Source:
    """A model source in memory."""

    def __init__(self, current: Evaluator | None, before: Evaluator | None = None) -> None:
        self.current, self.before = current, before

    def poll(self) -> bool:
        """Nothing ever comes."""
        return False

    def give_up(self, evaluator: Evaluator, error: ModelError) -> None:
        """As `ModelFile` does."""
        if self.current is evaluator:
            self.current, self.before = self.before, None


def broken(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A model that fails."""
    raise ModelError("NaN")


def test_a_reload_within_a_step_answers_by_the_model_it_began_with() -> None:
    """A cached answer of one model is never that of the model that replaced it meanwhile."""
    old, new = exported("tictactoe", "mlp", 1), exported("tictactoe", "mlp", 2)
    source = Source(old)
    evaluator = GuardedEvaluator(source, old, Clock())
    source.current = new
    np.testing.assert_array_equal(evaluator(*shown())[0], old(*shown())[0])
    assert evaluator.model is old


@pytest.mark.parametrize("before", [None, 1])
def test_the_model_before_answers_once_for_one_that_fails(before: int | None) -> None:
    """Or the uniform guess, if there was none; then the source no longer has the failed model."""
    good = exported("tictactoe", "mlp", before) if before else None
    bad = FunctionEvaluator(broken)
    source, clock = Source(bad, good), Clock()
    evaluator = GuardedEvaluator(source, bad, clock)
    np.testing.assert_array_equal(evaluator(*shown())[0], (good or uniform)(*shown())[0])
    assert evaluator.failed
    assert source.current is good
    assert clock.positions == 4
