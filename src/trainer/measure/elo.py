"""Elo ratings by maximum likelihood from the results of games. N players."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.measure.intervals import Z95

UNIT = 400 / math.log(10)
"""Elo points per natural unit of the Bradley-Terry model."""
NEWTON_STEPS = 200
CLOSE_ENOUGH = 1e-10


class Ratings(NamedTuple):
    """The ratings of N players, relative to their mean or to one of them."""

    elo: NDArray[np.float64]
    """[N]"""
    margin: NDArray[np.float64]
    """[N] half the width of the 95% interval."""


def elo_difference(score: float) -> float:
    """How many Elo points stronger a player with this many points per game is; infinite for 0 and 1."""
    if score in (0, 1):
        return math.inf if score else -math.inf
    return UNIT * math.log(score / (1 - score))


def fit_elo(
    points: NDArray[np.float64],
    virtual_draws: float = 1.0,
    zero: int | None = None,
    effects: NDArray[np.float64] | float = 1.0,
) -> Ratings:
    """The Bradley-Terry ratings under which the results are most likely, with intervals from the Fisher information.

    `points[i, j]` float64 [N, N]: the points of player i in all games against j; a draw is half a point. Each player also
    gets `virtual_draws` draws against a player of average strength, so that even a player who won or lost every game has
    a finite rating; 0 = plain maximum likelihood. `zero`: the player whose rating is 0, so that the margin is that of the
    difference to it; the virtual draws are against this player then, so a rating depends less on who else is there. None:
    the mean of all is 0.

    `effects[i, j]` float64 [N, N], or one number for all: the `design_effect` of the games of i and j. The covariance of the
    ratings is the inverse information times the covariance of the points times the inverse information (the sandwich of
    Huber 1967). The variance of the points of i against j is that of independent games without draws, times this effect.
    Matches are taken for independent.
    """
    players = len(points)
    if zero is not None:
        others = np.arange(players) != zero
        points = points.copy()
        points[others, zero] += virtual_draws / 2
        points[zero, others] += virtual_draws / 2
        virtual_draws = 0.0
    games = points + points.T
    scored = points.sum(axis=1) + virtual_draws / 2
    strength = np.zeros(players)  # natural units, mean 0
    same_for_all = np.full((players, players), 1 / players)  # shifts all ratings alike, about which results say nothing
    centred = np.eye(players) - same_for_all
    information = weight = virtual = np.eye(players)
    for _ in range(NEWTON_STEPS):
        win = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
        win_average = 1 / (1 + np.exp(-strength))
        slope = scored - (games * win).sum(axis=1) - virtual_draws * win_average
        weight = games * win * (1 - win)
        virtual = np.diag(virtual_draws * win_average * (1 - win_average))
        curvature = laplacian(weight) + virtual
        information = centred @ curvature @ centred + same_for_all
        step = np.linalg.solve(information, centred @ slope)
        strength += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < CLOSE_ENOUGH:
            break
    inverse = centred @ np.linalg.inv(information) @ centred
    covariance = inverse @ (laplacian(weight * effects) + virtual) @ inverse
    variance = np.diag(covariance)
    if zero is not None:
        strength = strength - strength[zero]
        variance = variance + variance[zero] - 2 * covariance[zero]
    return Ratings(UNIT * strength, UNIT * Z95 * np.sqrt(np.maximum(variance, 0.0)))


def laplacian(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, N] the covariance of the points of N players; `weight[i, j]` is the variance of the points of i against j."""
    return np.diag(weight.sum(axis=1)) - weight
