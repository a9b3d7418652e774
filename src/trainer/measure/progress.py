"""The progress of a run: an evaluation of its newest model, as the loop makes one every few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.evaluators.onnx_file import Prepare, load_prepared
from trainer.games.solving.scored_positions import has_scored_positions
from trainer.measure.anchor import Anchor
from trainer.measure.match import play_match
from trainer.measure.move_quality import quick_move_quality
from trainer.players import NetworkPlayer, RandomPlayer


def evaluate_step(
    path: Path,
    env_id: str,
    games: int,
    seed: int,
    simulations: tuple[int, ...] = (0,),
    prepare: Prepare | None = None,
    anchor: Anchor | None = None,
) -> dict[str, Any]:
    """A model's raw policy against random play, as an entry of stats.json's `eval_history`.

    If the game has scored positions, `move_quality` holds the model's wrong moves, once for each of `simulations`. `prepare`
    makes the evaluator of the model; None: ONNX Runtime. With an `anchor` the entry also has the model's Elo.
    """
    model = load_prepared(path, env_id, prepare)
    match = play_match(env_id, NetworkPlayer(path.name, model), RandomPlayer(), games, seed)
    evaluation = match.as_evaluation(model.step)
    if has_scored_positions(env_id):
        evaluation["move_quality"] = [
            {"simulations": number, **quick_move_quality(env_id, model, number).as_json()} for number in simulations
        ]
    return evaluation | (anchor.rate(model) if anchor else {})
