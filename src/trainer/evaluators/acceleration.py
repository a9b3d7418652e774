"""Faster twins of models, for self-play: each is compared with its model before it plays.

The file that was published stays as it is: whoever measures or plays a model has it from there.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.evaluators.onnx_file import OnnxModel, first_line
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions

log = logging.getLogger(__name__)

GAMES = 32
"""Random games whose positions are looked at."""

Rows = NDArray[np.float32]


class Maker(Protocol):
    """Makes the twins of one kind."""

    manner: str
    """How they answer, in words."""
    farthest: float
    """Mean difference of the values, or mean total variation of the priors, above which a twin is not used."""

    def __call__(self, content: bytes, model: OnnxModel) -> OnnxModel | None:
        """The twin of `model`, whose file is `content`; None where there is nothing to gain. May raise anything."""


class Twins:
    """Puts a twin in the place of each model of one game."""

    def __init__(self, env_id: str, *makers: Maker) -> None:
        """The first of `makers` whose twin answers as the model does makes it."""
        self._makers = makers
        self._positions = random_play(env_id, seed=1)
        self._in_trouble: set[str] = set()

    def __call__(self, content: bytes, model: OnnxModel) -> OnnxModel:
        """The twin of `model`, whose file is `content`, or `model` itself. Raises ModelError where the model fails."""
        answers = model(*self._positions)
        for maker in self._makers:
            twin = None
            try:
                twin = maker(content, model)
                apart = distance(answers, twin(*self._positions)) if twin else 0.0
                trouble = "" if apart <= maker.farthest else f"answers otherwise {maker.manner}, by {apart:.2g}"
            except Exception as error:  # libraries raise whatever their parts do
                trouble = f"can't be evaluated {maker.manner} ({first_line(error) or type(error).__name__})"
            if trouble and maker.manner not in self._in_trouble:
                log.warning("%s %s; playing with it otherwise, which is slower", model.source, trouble)
            (self._in_trouble.add if trouble else self._in_trouble.discard)(maker.manner)
            if twin and not trouble:
                return twin
        return model


def random_play(env_id: str, seed: int) -> tuple[Rows, Mask]:
    """Every position of some random games: observations float32 [R, obs_size], legal moves bool [R, A]."""
    generator = np.random.default_rng(seed)
    positions = Positions(env_id, GAMES)
    observations, legal = [], []
    while len(under_way := np.flatnonzero(positions.winner == OPEN)):
        positions = positions.of(positions.states[under_way])
        mask = positions.legal()
        observations.append(positions.observation())
        legal.append(mask)
        positions.play(np.arange(len(mask)), (mask * generator.random(mask.shape)).argmax(axis=1))
    return np.concatenate(observations), np.concatenate(legal)


def distance(answers: tuple[Rows, Rows], others: tuple[Rows, Rows]) -> float:
    """How far priors [R, A] and values [R] are apart on average: total variation or difference, whichever is more."""
    (prior, value), (other_prior, other_value) = answers, others
    return float(max(np.abs(value - other_value).mean(), np.abs(prior - other_prior).sum(axis=1).mean() / 2))
