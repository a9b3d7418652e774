"""The Elo of a run's models against an earlier one: a curve that goes on rising when random play is beaten."""

from __future__ import annotations

from typing import Any

from trainer.core.json_values import is_number
from trainer.evaluators.interface import Evaluator
from trainer.measure.elo import elo_difference
from trainer.measure.intervals import wilson
from trainer.measure.match import play_match
from trainer.measure.openings import draw_openings
from trainer.players import NetworkPlayer
from trainer.run.evaluations import EvaluationLog

GAMES = 100
CLEARLY = 0.75
"""The score with which a model takes the anchor's place. Matches between models that are closer to each other tell more."""


class Anchor:
    """An earlier model of a run, against which newer ones play by their raw policies.

    The differences add up from anchor to anchor, and so do their errors. Models of one run know each other's weaknesses, so
    a point of this Elo is worth less than one against strangers.
    """

    def __init__(self, env_id: str, seed: int, elo: float = 0.0) -> None:
        """The first model that is rated becomes the anchor, with this `elo`."""
        self._env_id = env_id
        self._seed = seed
        self._elo = elo
        self._model: Evaluator | None = None
        self._openings: list[list[int]] = []

    def rate(self, model: Evaluator) -> dict[str, Any]:
        """The model's Elo as fields of an evaluation, with its 95% interval and the step of the model it played against."""
        if self._model is None:
            self._model = model
            self._openings = draw_openings(self._env_id, GAMES // 2, self._seed)
        if self._model is model:
            return {"elo": self._elo, "elo_interval_95": [self._elo, self._elo], "elo_against": model.step}
        players = NetworkPlayer("newest", model), NetworkPlayer("anchor", self._model)
        match = play_match(self._env_id, *players, GAMES, self._seed, self._openings)
        points, games = match.score * GAMES + 0.5, GAMES + 1  # with a draw more, so that the Elo is finite
        scores = points / games, *wilson(points, games)
        elo, low, high = (round(self._elo + elo_difference(score), 1) for score in scores)
        found = {"elo": elo, "elo_interval_95": [low, high], "elo_against": self._model.step}
        if match.score >= CLEARLY:
            self._model, self._elo = model, elo
        return found


def last_elo(evaluations: EvaluationLog) -> float:
    """The Elo of the last model that was rated, from which a resumed run goes on; 0 if there is none."""
    rated = [entry["elo"] for entry in evaluations.read() if is_number(entry.get("elo"))]
    return float(rated[-1]) if rated else 0.0
