"""Playing: the calls that begin a game, move in it, and look into it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trainer.core.errors import ModelError
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.uniform import uniform
from trainer.games import ENV_IDS
from trainer.games.base import DRAW, FIRST
from trainer.web.game.analysis import MOST_SIMULATIONS, Engine, Mind
from trainer.web.game.duel import Duel, MoveError, seat_of
from trainer.web.game.sessions import Session, Sessions, remember
from trainer.web.http.body import json_object
from trainer.web.http.errors import refusal
from trainer.web.runs.runs import Runs, trouble_of

DEFAULT_GAME = "tictactoe"
DEFAULT_SIMULATIONS = 100


class Play:
    """Games between persons and the newest models."""

    def __init__(self, runs: Runs, engine: Engine, sessions: Sessions) -> None:
        self._runs = runs
        self._engine = engine
        self._sessions = sessions

    async def new(self, request: Request) -> Response:
        """POST /game/new: `first` "player" or "bot"; optional `game` and `simulations`. Answers a game state."""
        body = await json_object(request)
        old = self._sessions.of(request)
        env_id = body.get("game", old.duel.game.env_id if old else DEFAULT_GAME)
        if not isinstance(env_id, str) or env_id not in ENV_IDS:
            raise refusal(404, f"There is no game of that name; there are {', '.join(ENV_IDS)}.")
        try:
            human = seat_of(body.get("first", "player"))
        except MoveError as error:
            raise refusal(400, str(error)) from None
        simulations = simulations_of(body, old.duel.simulations if old else DEFAULT_SIMULATIONS)
        return await self._started(request, env_id, human, simulations)

    async def state(self, request: Request) -> Response:
        """GET /game/state: the browser's game; without one it starts tic-tac-toe, the person first."""
        session = self._sessions.of(request)
        if session is None:
            return await self._started(request, DEFAULT_GAME, FIRST, DEFAULT_SIMULATIONS)
        return await self._answer(session)

    async def move(self, request: Request) -> Response:
        """POST /move: `position`, an action. Answers a game state plus `bot_move`."""
        session = self._session(request)
        body = await json_object(request)
        if session.lock.locked():
            raise refusal(400, "It is not your turn: the model is still thinking.")
        async with session.lock:
            duel = session.duel
            try:
                duel.play(duel.check(body.get("position")))
            except MoveError as error:
                raise refusal(400, str(error)) from None
            bot_move = await self._reply(duel)
        return await self._answer(session, bot_move=bot_move)

    async def undo(self, request: Request) -> Response:
        """POST /game/undo: take back the person's last move and the model's answer."""
        session = self._session(request)
        async with session.lock:
            try:
                session.duel.undo()
            except MoveError as error:
                raise refusal(400, str(error)) from None
        return await self._answer(session)

    async def settings(self, request: Request) -> Response:
        """POST /game/settings: `simulations` of the model from now on."""
        session = self._session(request)
        body = await json_object(request)
        session.duel.simulations = simulations_of(body, session.duel.simulations)
        return await self._answer(session)

    async def moves(self, request: Request) -> Response:
        """GET /game/moves: every position of the game so far, and what the model thought where it was asked."""
        duel = self._session(request).duel
        plies = []
        for ply, position in enumerate(list(duel.positions)):
            mind = duel.minds.get(ply)
            plies.append(
                {
                    "ply": ply,
                    "board": position.cells.tolist(),
                    "mover": position.mover,
                    "action": duel.actions[ply] if ply < duel.ply else None,
                    "value": None if mind is None else mind.value,
                }
            )
        return JSONResponse({"game": duel.game.env_id, "plies": plies})

    async def mind(self, request: Request) -> Response:
        """GET /game/mind?ply=N: what the model thinks of a position of the game; the newest one by default."""
        duel = self._session(request).duel
        asked = request.query_params.get("ply", str(duel.ply))
        if not asked.isascii() or not asked.isdigit() or len(asked) > 4 or int(asked) > duel.ply:
            raise refusal(400, f"The ply must be a whole number from 0 to {duel.ply}.")
        ply = int(asked)
        position = duel.positions[ply]
        if not position.legal:
            raise refusal(400, "The game is over in this position; there is nothing to think about.")
        mind = duel.minds.get(ply)
        if mind is None or mind.simulations != duel.simulations:
            mind = await self._think(duel, ply)
        return JSONResponse({"ply": ply, "env_id": duel.game.env_id, **asdict(mind)})

    async def _started(self, request: Request, env_id: str, human: int, simulations: int) -> Response:
        """A new game, the model's first move made where it has it."""
        duel = Duel.new(await self._engine.rules(env_id), human, simulations)
        bot_move = await self._reply(duel)
        session = self._sessions.start(request, duel)
        return remember(request, await self._answer(session, bot_move=bot_move), session)

    async def _reply(self, duel: Duel) -> int | None:
        """The model's move, made; None where it has none to make."""
        if not duel.model_to_move:
            return None
        mind = await self._think(duel, duel.ply)
        duel.play(mind.best)
        return mind.best

    async def _think(self, duel: Duel, ply: int) -> Mind:
        file = await run_in_threadpool(self._runs.model_for, duel.game.env_id)
        position = duel.positions[ply]
        mind = None
        while mind is None:
            model = file.current if file else None
            try:
                mind = await self._engine.think(duel.game.env_id, position, duel.simulations, model or uniform)
            except ModelError as error:
                assert file is not None
                assert model is not None
                file.give_up(model, error)
        if ply < len(duel.positions) and duel.positions[ply] is position:
            duel.minds[ply] = mind
        return mind

    def _session(self, request: Request) -> Session:
        session = self._sessions.of(request)
        if session is None:
            raise refusal(
                409, "There is no game in progress for this browser, or it was idle too long; start a new one."
            )
        return session

    async def _answer(self, session: Session, **further: Any) -> Response:
        """The state of a game, with what our page needs beyond the contract."""
        duel = session.duel
        file = await run_in_threadpool(self._runs.model_for, duel.game.env_id)
        position = duel.position
        state = {
            "board": position.cells.tolist(),
            "current_player": position.mover,
            "human_player": duel.human,
            "winner": position.winner,
            "game_over": duel.over,
            "legal_moves": position.legal,
            "message": message_of(duel, file),
            "game": duel.game.env_id,
            "ply": duel.ply,
            "moves": duel.actions,
            "simulations": duel.simulations,
            "changes": duel.changes(duel.ply),
            "winning_line": duel.winning_line(),
            "model_step": file.current.step if file and file.current else None,
        }
        return JSONResponse(state | further)


def simulations_of(body: dict[str, Any], default: int) -> int:
    """The number of simulations that a request asks for; refuses what is none."""
    simulations = body.get("simulations", default)
    good = isinstance(simulations, int) and not isinstance(simulations, bool)
    if not good or not 0 <= simulations <= MOST_SIMULATIONS:
        raise refusal(400, f'The field "simulations" must be a whole number from 0 to {MOST_SIMULATIONS}.')
    return int(simulations)


def message_of(duel: Duel, file: ModelFile | None) -> str:
    """How the game stands and who answers, in words."""
    names = duel.game.player_names
    winner = duel.position.winner
    if winner == DRAW:
        stand = "A draw."
    elif duel.over:
        stand = "You win." if winner == duel.human else "The model wins."
    elif duel.position.mover == duel.human:
        stand = f"Your turn ({names[duel.human - 1]})."
    else:
        stand = "The model is thinking."
    trouble = trouble_of(file)
    return f"{stand} {trouble}" if trouble else stand
