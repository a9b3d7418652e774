"""The Elo of a run's models against an earlier one: a curve that goes on rising when random play is beaten."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.core.errors import ModelError
from trainer.core.json_values import is_number
from trainer.evaluators.interface import Evaluator
from trainer.evaluators.loader import ModelLoader
from trainer.measure.elo import elo_difference
from trainer.measure.intervals import score_interval
from trainer.measure.match import Match, play_match
from trainer.measure.openings import draw_openings
from trainer.players import NetworkPlayer
from trainer.run.evaluations import EvaluationLog
from trainer.run.model_files import stored_model

GAMES = 100
CLEARLY = 0.75
"""The score with which a model takes the anchor's place. Matches between models that are closer to each other tell more."""


class Anchor:
    """An earlier model of a run, against which newer ones play by their raw policies.

    The differences add up from anchor to anchor, and so do their errors. Models of one run know each other's weaknesses, so
    a point of this Elo is worth less than one against strangers.
    """

    def __init__(self, env_id: str, seed: int, elo: float | None = None, model: Evaluator | None = None) -> None:
        """`elo` and `model`: where a resumed run goes on. Without a model the first one that is rated becomes the anchor and
        gets this Elo, or 0 in a new run."""
        self._env_id = env_id
        self._seed = seed
        self._elo = elo or 0.0
        self._known = elo is None
        """Whether the anchor's Elo is its own; else it is that of an earlier model, which is gone."""
        self._model = model
        self._openings: tuple[list[list[int]], list[list[int]]] = [], []
        """Of the match against the anchor, and of the further games if that is won clearly."""

    def rate(self, model: Evaluator) -> dict[str, Any]:
        """The model's Elo as fields of an evaluation, with the step of the anchor that it played against, and a 95% interval
        that takes the anchor's Elo for exact. It is too narrow if openings repeat, because games then repeat each other."""
        if self._model is None:
            self._model = model
        if self._model is model:
            interval = [self._elo, self._elo] if self._known else None
            return {"elo": self._elo, "elo_interval_95": interval, "elo_against": model.step}
        if not self._openings[0]:  # not before: the game may have to be compiled
            self._openings = openings_of_two_matches(self._env_id, self._seed)
        against, (openings, others) = self._model.step, self._openings
        match = self._match(model, self._model, self._seed, openings)
        replaces = match.score >= CLEARLY
        if replaces:  # the match that lets a model pass is more often a lucky one, so another one counts
            match = self._match(model, self._model, self._seed + 1, others)
        points = [*match.grouped_points, [0.5]]  # with a draw more, so that the Elo is finite
        scores = sum(map(sum, points)) / (GAMES + 1), *score_interval(points)
        elo, low, high = (round(self._elo + elo_difference(score), 1) for score in scores)
        if replaces:
            self._model, self._elo, self._known = model, elo, True
        return {"elo": elo, "elo_interval_95": [low, high], "elo_against": against}

    def _match(self, model: Evaluator, anchor: Evaluator, seed: int, openings: list[list[int]]) -> Match:
        """The games of a model against the anchor."""
        players = NetworkPlayer("newest", model), NetworkPlayer("anchor", anchor)
        return play_match(self._env_id, *players, GAMES, seed, openings)


def openings_of_two_matches(env_id: str, seed: int) -> tuple[list[list[int]], list[list[int]]]:
    """The openings of two matches that share none, because raw policies would play the same games from a shared one again.

    In a game with too few positions for 100 openings each match gets half of them. A single one serves both.
    """
    drawn = draw_openings(env_id, 2 * GAMES, seed)
    half = (len(drawn) + 1) // 2
    return drawn[:half], drawn[half:] or drawn


def anchor_of(loader: ModelLoader, seed: int, evaluations: EvaluationLog, models: Path) -> Anchor:
    """The anchor of a resumed run: the last model that was rated, if it is still among `models`.

    Otherwise the next model takes over its Elo, without an interval.
    """
    rated = [entry for entry in evaluations.read() if is_number(entry.get("elo"))]
    if not rated:
        return Anchor(loader.env_id, seed)
    elo, step = float(rated[-1]["elo"]), rated[-1].get("step")
    model = None
    if isinstance(step, int):
        with suppress(ModelError):
            model = loader.load(stored_model(models, step))
    return Anchor(loader.env_id, seed, elo, model)
