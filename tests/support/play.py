"""Plays games of self-play to their ends."""

from __future__ import annotations

from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.interface import Evaluate, FunctionEvaluator


def finished(player: SelfPlay, evaluate: Evaluate | None, progress: float = 1.0) -> dict[int, PlayedGame]:
    """All games of a player by their numbers; None: random play."""
    evaluator = FunctionEvaluator(evaluate, progress=progress) if evaluate else None
    games: dict[int, PlayedGame] = {}
    while not player.idle:
        ended = player.step(evaluator) if evaluator else player.play_randomly()
        games |= {game.number: game for game in ended}
    return games
