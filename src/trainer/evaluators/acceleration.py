"""Accelerated evaluators: each is compared with the original model before it plays.

The published file stays as it is; evaluations, and games against a model, use the original.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np

from trainer.core.errors import DeviceError, first_line
from trainer.evaluators.interface import Evaluator, Observations, Prior, Values
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.games.base import OPEN, Mask
from trainer.games.positions import Positions

log = logging.getLogger(__name__)

GAMES = 32
"""Random games from which positions are compared."""
COMPARED = 512
"""Positions that are compared: one batch, whose memory an evaluator keeps."""


class Accelerator(Protocol):
    """Makes faster evaluators of one kind."""

    manner: str
    """How they evaluate, in words that follow "can't be evaluated"."""
    tolerance: float
    """Largest mean difference of the values, or mean total variation of the priors, at which one is used."""

    def __call__(self, content: bytes, original: OnnxEvaluator) -> Evaluator | None:
        """A faster evaluator of `original`, whose file is `content`; None if this kind can't. May raise anything."""

    def accepted(self, evaluator: Evaluator, original: OnnxEvaluator) -> Evaluator:
        """What is used of an evaluator that gave the same answers as `original`."""


class Acceleration:
    """Replaces each model of one game by a faster evaluator that gives the same answers."""

    def __init__(self, env_id: str, *accelerators: Accelerator) -> None:
        """The first of `accelerators` whose evaluator agrees with the original is used."""
        self._accelerators = accelerators
        self._positions = random_play(env_id, seed=1)
        self._reported: set[str] = set()

    def __call__(self, content: bytes, original: OnnxEvaluator) -> Evaluator:
        """A faster evaluator of `original`, whose file is `content`, or `original`. Raises ModelError if that fails."""
        answers = original(*self._positions)
        for accelerator in self._accelerators:
            faster, manner = None, accelerator.manner
            try:
                faster = accelerator(content, original)
                apart = distance(answers, faster(*self._positions)) if faster else 0.0
                problem = "" if apart <= accelerator.tolerance else f"gives other answers {manner}, by {apart:.2g}"
            except DeviceError:  # it would fail again
                raise
            except Exception as error:  # libraries raise whatever their parts do
                problem = f"can't be evaluated {manner} ({first_line(error)})"
            if problem and manner not in self._reported:
                log.warning("%s %s; evaluating it otherwise, which is slower", original.source, problem)
            (self._reported.add if problem else self._reported.discard)(manner)
            if faster and not problem:
                return accelerator.accepted(faster, original)
        return original


def random_play(env_id: str, seed: int) -> tuple[Observations, Mask]:
    """Positions of some random games, R <= COMPARED: observations float32 [R, obs_size], legal moves bool [R, A]."""
    generator = np.random.default_rng(seed)
    positions = Positions(env_id, GAMES)
    seen = []
    for _ in range(positions.game.max_plies):
        positions = positions.of(positions.states[positions.winner == OPEN])
        mask = positions.legal()
        if not len(mask):
            break
        seen.append(positions.states.copy())
        positions.play(np.arange(len(mask)), (mask * generator.random(mask.shape)).argmax(axis=1))
    states = np.concatenate(seen)
    chosen = positions.of(generator.permutation(states)[:COMPARED])
    return chosen.observation(), chosen.legal()


def distance(answers: tuple[Prior, Values], others: tuple[Prior, Values]) -> float:
    """How far apart priors [R, A] and values [R] are on average: total variation or difference, whichever is larger."""
    (prior, value), (other_prior, other_value) = answers, others
    return float(max(np.abs(value - other_value).mean(), np.abs(prior - other_prior).sum(axis=1).mean() / 2))
