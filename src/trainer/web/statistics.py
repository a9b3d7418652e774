"""What a run measures, as the page polls it: training, actors, the model."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import trainer
from trainer.evaluators.hot_reload import ModelFile
from trainer.game_config import metadata_of
from trainer.games import ENV_IDS, game_of
from trainer.run.actor_statistics import sum_of_actors
from trainer.run.training_statistics import TrainingStats
from trainer.web.game.sessions import Sessions
from trainer.web.http.errors import refusal
from trainer.web.runs.runs import Run, Runs, modified, trouble_of

NO_RUN = "There is no run in the data folder yet."
BLANK = TrainingStats("", 0).fields() | {"timestamp": 0, "last_eval": None, "eval_history": []}
"""/stats before there is a stats.json."""


class Figures:
    """The calls that only look."""

    def __init__(self, runs: Runs, sessions: Sessions) -> None:
        self._runs = runs
        self._sessions = sessions

    def health(self, request: Request) -> Response:
        """GET /health"""
        return JSONResponse({"status": "ok", "version": trainer.__version__})

    def games(self, request: Request) -> Response:
        """GET /games"""
        return JSONResponse({"games": list(ENV_IDS)})

    def game_info(self, request: Request) -> Response:
        """GET /game-info/{env_id}"""
        env_id = request.path_params["env_id"]
        if env_id not in ENV_IDS:
            raise refusal(404, f"There is no game of that name; there are {', '.join(ENV_IDS)}.")
        return JSONResponse(game_info(env_id))

    def runs(self, request: Request) -> Response:
        """GET /runs: the runs to choose from; `default` is the one that was written to last."""
        newest = self._runs.pick(None)
        found = [
            {"name": run.name, "env_id": run.env_id, "changed": int(run.changed), "has_model": modified(run.model) > 0}
            for run in self._runs.all()
        ]
        return JSONResponse({"runs": found, "default": newest.name if newest else None})

    def stats(self, request: Request) -> Response:
        """GET /stats[?run=NAME]"""
        return JSONResponse(stats_of(self._pick(request)))

    def actor_stats(self, request: Request) -> Response:
        """GET /actor-stats[?run=NAME]"""
        return JSONResponse(actor_stats_of(self._pick(request)))

    async def model(self, request: Request) -> Response:
        """GET /model[?game=ENV_ID]: the model that plays the game; by default that of the browser's own game, else of
        the newest run.
        """
        env_id = request.query_params.get("game")
        if env_id is None:
            session = self._sessions.of(request)
            env_id = session.duel.game.env_id if session else await run_in_threadpool(self._newest_game)
        if env_id not in ENV_IDS:
            raise refusal(404, f"There is no game of that name; there are {', '.join(ENV_IDS)}.")
        return JSONResponse(model_of(await run_in_threadpool(self._runs.model_for, env_id), env_id))

    def _newest_game(self) -> str:
        run = self._runs.pick(None)
        return (run and run.env_id) or ENV_IDS[0]

    def _pick(self, request: Request) -> Run | None:
        return self._runs.pick(request.query_params.get("run"))


def game_info(env_id: str) -> dict[str, Any]:
    """A game's dimensions and words."""
    game = game_of(env_id)
    return vars(metadata_of(game)) | {
        "player_names": game.player_names,
        "player_symbols": game.player_symbols,
        "description": game.description,
        "board_type": game.board_type,
        "bottom_row_first": game.bottom_row_first,
    }


def stats_of(run: Run | None) -> dict[str, Any]:
    """stats.json and the names that old pages use; zeros and a `message` where there is none."""
    content, problem = (None, NO_RUN) if run is None else run.stats.read()[:2]
    stats = BLANK | (content or {})
    stats |= {
        "epoch": stats["step"],
        "loss": stats["total_loss"],
        "games_played": actor_stats_of(run)["episodes_completed"],
        "run": run.name if run else None,
    }
    return stats | ({"message": problem} if problem else {})


def actor_stats_of(run: Run | None) -> dict[str, Any]:
    """The sum over all actors; zeros and a `message` where none ran."""
    content, problem = (None, NO_RUN) if run is None else run.actor_stats.read()[:2]
    sums = sum_of_actors((run and run.env_id) or "", [])
    sums |= {name: value for name, value in (content or {}).items() if name in sums}
    return sums | ({"message": problem} if problem else {})


def model_of(file: ModelFile | None, env_id: str) -> dict[str, Any]:
    """A model of a game, and in words whether it plays."""
    current = file.current if file else None
    return {
        "loaded": current is not None,
        "path": str(file.path) if file else None,
        "file_modified": int(modified(file.path)) if file else None,
        "loaded_at": int(file.loaded_at) if file and file.loaded_at else None,
        "training_step": current.step if current else None,
        "problem": file.problem if file else None,
        "status": trouble_of(file) or "The newest model plays.",
        "game": env_id,
    }
