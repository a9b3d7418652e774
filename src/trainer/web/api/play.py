"""Calls that play a game against the newest model, and look into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from trainer.core.errors import DeviceError, ModelError, shortened
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.interface import Evaluate
from trainer.evaluators.uniform import uniform
from trainer.games import DEFAULT_GAME
from trainer.games.base import FIRST, SECOND
from trainer.play.game_in_progress import MoveError
from trainer.search.analysis import Analysis
from trainer.web.game.analysed_game import AnalysedGame, Found, fields_of
from trainer.web.game.search_pool import MAX_SIMULATIONS, SearchPool
from trainer.web.game.sessions import Session, Sessions
from trainer.web.http.answer import JsonAnswer
from trainer.web.http.body import json_object
from trainer.web.http.refusal import Refusal
from trainer.web.runs.games import Games
from trainer.web.runs.models import Models, trouble_with

DEFAULT_SIMULATIONS = 100
NO_GAME = (
    "This browser has no game in progress; start a new one. An idle game is forgotten after a while, "
    "and a browser that blocks cookies can't keep a game."
)

GONE_ON = "This game has gone on meanwhile, perhaps in another tab; your request was not carried out."


class Play:
    """Answers for the game in progress of the browser that asks.

    A request may say which game it is about, by the `game_id` and the `moves` of the state that its page shows. It is
    refused with 412 if the browser's game is another one by now, or has other moves; a second tab can cause both.
    """

    def __init__(self, games: Games, models: Models, pool: SearchPool, sessions: Sessions) -> None:
        self._games = games
        self._models = models
        self._pool = pool
        self._sessions = sessions

    async def new(self, request: Request) -> Response:
        """POST /game/new: `first` "player" or "bot"; optional `game` and `simulations`. Answers with a game state."""
        wanted = await json_object(request)
        return await self._start(request, wanted, self._sessions.of(request))

    async def state(self, request: Request) -> Response:
        """GET /game/state: the browser's game. Without one it starts one with the settings of the query, as `new` does: by
        default tic-tac-toe, in which the person moves first.

        A request that names a `game_id` starts none.
        """
        game_id = request.query_params.get("game_id")
        session = self._sessions.of(request) if game_id is None else self._session(request, game_id)
        if session is None:
            return await self._start(request, settings_in(request.query_params), None)
        return await self._answer(session)

    async def move(self, request: Request) -> Response:
        """POST /move: `position`, an action. Answers with a game state plus `bot_move` and `bot_moves`."""
        body = await json_object(request)
        session = self._session(request, body.get("game_id"))
        if session.game.model_to_move:  # else another request may hold the lock, such as one for the state
            raise Refusal(400, "It is not your turn: the model is still thinking.")
        game, moves = session.game, body.get("moves")
        moves = (
            [*game.actions] if moves is None else moves
        )  # of two requests that wait together, only the first one counts
        async with session.lock:
            if session.game is not game:
                raise Refusal(412, GONE_ON)
            check_moves(game, moves)
            game.play(move_of(body, game))
            try:
                replies = await self._reply(game)
            except BaseException:  # else the game would wait for an answer that nobody makes
                game.undo()
                raise
        return await self._answer(session, **replies)

    async def undo(self, request: Request) -> Response:
        """POST /game/undo: take back the person's last move and the model's answer."""
        body = await json_object(request)
        session = self._session(request, body.get("game_id"))
        async with session.lock:
            check_moves(session.game, body.get("moves"))
            try:
                session.game.undo()
            except MoveError as error:
                raise Refusal(400, str(error)) from None
        return await self._answer(session)

    async def settings(self, request: Request) -> Response:
        """POST /game/settings: the model's `simulations` from now on."""
        body = await json_object(request)
        session = self._session(request, body.get("game_id"))
        session.game.simulations = simulations_of(body, session.game.simulations)
        return await self._answer(session)

    async def moves(self, request: Request) -> Response:
        """GET /game/moves: every position of the game so far, with the model's value where it was asked."""
        session = self._session(request, request.query_params.get("game_id"))
        game = session.game
        plies = []
        for ply, position in enumerate(list(game.positions)):
            found = game.found.get(ply)
            action = game.actions[ply] if ply < game.ply else None
            plies.append(
                {
                    "ply": ply,
                    "board": position.cells.tolist(),
                    "mover": position.mover,
                    "action": action,
                    "name": None if action is None else position.name(action),
                    "score": position.score,
                    "value": None if found is None else found.analysis.value,
                }
            )
        return self._sessions.remember(JsonAnswer({"game": game.env_id, "plies": plies}), session)

    async def analysis(self, request: Request) -> Response:
        """GET /game/analysis?ply=N: the model's analysis of a position of the game, by default the newest.

        That of the newest position is by the newest model; those of earlier ones may be by the model of that time.
        """
        session = self._session(request, request.query_params.get("game_id"))
        game = session.game
        if (moves := request.query_params.get("moves")) is not None and moves != ".".join(map(str, game.actions)):
            raise Refusal(412, GONE_ON)
        ply = number_in(request.query_params.get("ply", str(game.ply)))
        if ply is None or ply > game.ply:
            raise Refusal(400, f"The ply must be a whole number from 0 to {game.ply}.")
        position = game.positions[ply]  # another request may take it back while the model thinks
        if not position.legal:
            raise Refusal(400, "The game is over in this position; there is nothing to analyse.")
        found = game.found.get(ply)
        if found is None or found.analysis.simulations != game.simulations or await self._outdated(game, ply, found):
            analysis = await self._analyse(game, ply)
        else:
            analysis = found.analysis
        answer = JsonAnswer({"ply": ply, "env_id": game.env_id} | fields_of(analysis, position))
        return self._sessions.remember(answer, session)

    async def _outdated(self, game: AnalysedGame, ply: int, found: Found) -> bool:
        """Whether what was found at the newest ply is by another model than the one that plays now."""
        file = await run_in_threadpool(self._models.of_game, game.env_id)
        newest = file.current if file and file.current else uniform
        return ply == game.ply and found.analyst() is not newest

    async def _start(self, request: Request, wanted: Mapping[str, Any], before: Session | None) -> Response:
        """A new game, with the model's first move made if it moves first. What `wanted` leaves out is as in `before`.

        Refuses settings that can't be.
        """
        asked = wanted.get("game", before.game.env_id if before else DEFAULT_GAME)
        env_id = await run_in_threadpool(self._games.checked, asked)
        human = seat_of(wanted)
        simulations = simulations_of(wanted, before.game.simulations if before else DEFAULT_SIMULATIONS)
        game = AnalysedGame.new(await self._pool.rules(env_id), human, simulations)
        replies = await self._reply(game)
        session = self._sessions.start(request, game)
        return await self._answer(session, **replies)

    async def _reply(self, game: AnalysedGame) -> dict[str, Any]:
        """Make the model's moves, as many as it has in a row: `bot_moves`, and the last of them or None as `bot_move`."""
        moves = []
        while game.model_to_move:
            analysis = await self._analyse(game, game.ply)
            game.play(analysis.best)
            moves.append(analysis.best)
        return {"bot_move": moves[-1] if moves else None, "bot_moves": moves}

    async def _analyse(self, game: AnalysedGame, ply: int) -> Analysis:
        """Analyse a position by the newest model that works, else by the uniform guess."""
        position, simulations = game.positions[ply], game.simulations  # both may change during an await
        file = await run_in_threadpool(self._models.of_game, game.env_id)
        analysis: Analysis | None = None
        analyst: Evaluate = uniform
        while analysis is None and file is not None and file.current is not None:
            model = file.current
            try:
                analysis = await self._pool.analyse(game.env_id, position, simulations, model)
                analyst = model
            except (ModelError, DeviceError) as error:
                file.give_up(model, error)
        if analysis is None:
            analysis = await self._pool.analyse(game.env_id, position, simulations, uniform)
        game.note(ply, position, analysis, analyst)
        return analysis

    def _session(self, request: Request, game_id: object) -> Session:
        """The session of the browser that asks. Refuses with 409 if it has none, with 412 if its game is not `game_id`."""
        session = self._sessions.of(request)
        if session is None:
            raise Refusal(409, NO_GAME)
        if game_id is not None and game_id != session.game_id:
            raise Refusal(
                412, "Another game has replaced this one, perhaps in another tab; your request was not carried out."
            )
        return session

    async def _answer(self, session: Session, **further: Any) -> Response:
        """The state of a game, with the fields that our page needs beyond the contract."""
        file = await run_in_threadpool(self._models.of_game, session.game.env_id)
        async with session.lock:  # else the model's turn could be shown, which is over before anybody asks again
            state = await run_in_threadpool(state_of, session, file)
        return self._sessions.remember(JsonAnswer(state | further), session)


def state_of(session: Session, file: ModelFile | None) -> dict[str, Any]:
    """The state of a game; `file`: the model that plays it."""
    game = session.game
    position = game.position
    trouble = trouble_with(file)
    return {
        "board": position.cells.tolist(),
        "current_player": position.mover,
        "human_player": game.human,
        "winner": position.winner,
        "game_over": game.over,
        "legal_moves": position.legal,
        "message": f"{game.standing()} {trouble}" if trouble else game.standing(),
        "game": game.env_id,
        "game_id": session.game_id,
        "ply": game.ply,
        "moves": game.actions,
        "simulations": game.simulations,
        "choices": [asdict(choice) for choice in game.choices()],
        "winning_line": game.winning_line(),
        "model_step": file.current.step if file and file.current else None,
    }


def check_moves(game: AnalysedGame, moves: object) -> None:
    """Refuse with 412 if `moves` are not the moves of the game; None is not checked."""
    if moves is not None and moves != game.actions:
        raise Refusal(412, GONE_ON)


def settings_in(query: QueryParams) -> dict[str, Any]:
    """The settings of a new game in a query, as a body has them."""
    simulations = number_in(query.get("simulations", ""))
    return {**query} if simulations is None else {**query, "simulations": simulations}


def number_in(text: str) -> int | None:
    """The number that one to four digits write; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def seat_of(body: Mapping[str, Any]) -> int:
    """The person's seat in the game that a request starts. Refuses an invalid one."""
    seats = {"player": FIRST, "bot": SECOND}
    first = body.get("first", "player")
    if not isinstance(first, str) or first not in seats:
        raise Refusal(400, 'The field "first" must be "player" or "bot".')
    return seats[first]


def move_of(body: dict[str, Any], game: AnalysedGame) -> int:
    """The move that a request makes for the person. Refuses one that can't be made."""
    if game.over:
        raise Refusal(400, "The game is over; start a new one.")
    if game.model_to_move:
        raise Refusal(400, "It is not your turn.")
    action = body.get("position")
    if not isinstance(action, int) or isinstance(action, bool):
        raise Refusal(400, "The move needs a whole number as its position.")
    if action not in game.position.legal:
        raise Refusal(400, f"The move {shortened(action)} is not legal here.")
    return action


def simulations_of(body: Mapping[str, Any], default: int) -> int:
    """The number of simulations that a request asks for. Refuses an invalid one."""
    simulations = body.get("simulations", default)
    valid = isinstance(simulations, int) and not isinstance(simulations, bool)
    if not valid or not 0 <= simulations <= MAX_SIMULATIONS:
        raise Refusal(400, f'The field "simulations" must be a whole number from 0 to {MAX_SIMULATIONS}.')
    return int(simulations)
