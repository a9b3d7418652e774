"""The progress of a run: an evaluation of its newest model, as the loop makes one every few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.evaluators.loader import ModelLoader
from trainer.games.solving.scored_positions import has_scored_positions
from trainer.measure.anchor import Anchor
from trainer.measure.match import play_match
from trainer.measure.move_quality import quick_move_quality
from trainer.players import NetworkPlayer, RandomPlayer


def evaluate_step(
    path: Path, loader: ModelLoader, games: int, seed: int, anchor: Anchor | None = None
) -> dict[str, Any]:
    """A model's raw policy against random play, as an entry of stats.json's `eval_history`.

    If the game has scored positions, `move_quality` holds the wrong moves of the raw policy. With an `anchor` the entry also
    has the model's Elo.
    """
    env_id, model = loader.env_id, loader.load(path)
    match = play_match(env_id, NetworkPlayer(path.name, model), RandomPlayer(), games, seed)
    evaluation = match.as_evaluation(model.step)
    if has_scored_positions(env_id):
        evaluation["move_quality"] = [{"simulations": 0, **quick_move_quality(env_id, model).as_json()}]
    return evaluation | (anchor.rate(model) if anchor else {})
