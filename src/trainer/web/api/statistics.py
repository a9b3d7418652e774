"""Calls about a run's statistics, as a page polls them: the runs, training, actors, the model."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from trainer.evaluators.hot_reload import ModelFile
from trainer.games import DEFAULT_GAME, is_available
from trainer.pretrained import curves, env_ids
from trainer.run.actor_stats import ActorTotals
from trainer.run.actor_stats_file import rates_in
from trainer.run.cluster_players import players_in
from trainer.run.training_statistics import TrainingStats
from trainer.web.game.sessions import Sessions
from trainer.web.http.answer import Compressed, JsonAnswer
from trainer.web.http.refusal import Refusal
from trainer.web.runs.games import Games, require_rules
from trainer.web.runs.missing import MissingError
from trainer.web.runs.models import Models, trouble_with
from trainer.web.runs.replay_file import modified
from trainer.web.runs.run import Run
from trainer.web.runs.runs import NO_RUN, Runs

ZEROS = TrainingStats("", 0).fields() | {"timestamp": 0, "last_eval": None, "eval_history": []}
"""What /stats answers before there is a stats.json."""


class Statistics:
    """Answers with the statistics of a run as they are now."""

    def __init__(self, runs: Runs, games: Games, models: Models, sessions: Sessions) -> None:
        self._runs = runs
        self._games = games
        self._models = models
        self._sessions = sessions

    def runs(self, request: Request) -> Response:
        """GET /runs: the runs to choose from; `default` is the one that was written to last.

        `published`: the games of which the curves of a run come with the package.
        """
        newest = self._runs.newest()
        found = [
            {"name": run.name, "env_id": run.env_id, "changed": int(run.changed), "has_model": modified(run.model) > 0}
            for run in self._runs.all()
        ]
        return JsonAnswer({"runs": found, "default": newest.name if newest else None, "published": env_ids(".json")})

    def published(self, request: Request) -> Response:
        """GET /published?game=ENV_ID: the curves of the published run of a game."""
        path = curves(self._games.checked(request.query_params.get("game")))
        if path is None:
            raise Refusal(404, "No run of that game comes with the package; GET /runs lists the games that have one.")
        return Compressed(path.read_bytes(), media_type="application/json")

    def stats(self, request: Request) -> Response:
        """GET /stats[?run=NAME]"""
        return JsonAnswer(stats_of(self._pick(request)))

    def actor_stats(self, request: Request) -> Response:
        """GET /actor-stats[?run=NAME]"""
        return JsonAnswer(actor_stats_of(self._pick(request)))

    async def model(self, request: Request) -> Response:
        """GET /model[?game=ENV_ID]: the model that plays a game.

        By default the game that this browser plays, else that of the newest run, if its rules are known here.
        """
        env_id = request.query_params.get("game")
        if env_id is None:
            session = self._sessions.of(request)
            env_id = session.game.env_id if session else await run_in_threadpool(self._newest_game)
        env_id = await run_in_threadpool(self._games.checked, env_id)
        return JsonAnswer(model_status(await run_in_threadpool(self._models.of_game, env_id), env_id))

    def _newest_game(self) -> str:
        run = self._runs.newest()
        env_id = run.env_id if run else None
        return env_id if env_id and is_available(env_id) else DEFAULT_GAME

    def _pick(self, request: Request) -> Run | None:
        return self._runs.pick(request.query_params.get("run"))


def stats_of(run: Run | None) -> dict[str, Any]:
    """stats.json, plus the field names that older pages use; zeros and a `message` if there is none."""
    content, problem = (None, NO_RUN) if run is None else run.stats.read()
    stats = ZEROS | (content or {})
    stats |= {
        "epoch": stats["step"],
        "loss": stats["total_loss"],
        "games_played": actor_stats_of(run)["episodes_completed"],
        "run": run.name if run else None,
    }
    return stats | ({"message": problem} if problem else {})


def actor_stats_of(run: Run | None) -> dict[str, Any]:
    """The sum over all actors, and the players of a cluster if there are any; zeros and a `message` if none has run.

    Rates are those of the actors that are running now.
    """
    content, problem = (None, NO_RUN) if run is None else run.actor_stats.read()
    sums = asdict(ActorTotals((run and run.env_id) or ""))
    sums |= {name: value for name, value in (content or {}).items() if name in sums}
    now = time.time()
    sums |= rates_in(content or {}, now)
    players = [asdict(player) for player in players_in(content or {}, now)]
    return sums | ({"players": players} if players else {}) | ({"message": problem} if problem else {})


def model_status(file: ModelFile | None, env_id: str) -> dict[str, Any]:
    """A model of a game, and whether it plays."""
    current = file.current if file else None
    return {
        "loaded": current is not None,
        "path": str(file.path) if file else None,
        "file_modified": int(modified(file.path)) if file else None,
        "loaded_at": int(file.loaded_at) if file and file.loaded_at else None,
        "training_step": current.step if current else None,
        "problem": file.problem if file else None,
        "status": trouble_with(file) or "The newest model plays.",
        "game": env_id,
    }


def model_of_run(models: Models, run: Run) -> dict[str, Any] | None:
    """The newest model of a run, and whether it plays; None if there is none, or if nothing says which game it is for."""
    env_id, file = run.env_id, models.of_run(run)
    if env_id is None or not modified(run.model):
        return None
    try:
        require_rules(env_id)
    except MissingError as unknown:
        sentence = str(unknown)
        about = {"path": str(run.model), "file_modified": int(modified(run.model))}
        return model_status(None, env_id) | about | {"problem": sentence, "status": sentence}
    return model_status(file, env_id)
