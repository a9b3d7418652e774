"""Calls about the stored games of a run: the list, and one game move by move with what the network is trained on."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from trainer.games import find_game, game_of
from trainer.games.base import DRAW, FIRST, MOVER, OPEN, SECOND, WINNER, Game
from trainer.games.library import rules_differ
from trainer.games.position import Position
from trainer.games.state_blob import parts_of
from trainer.replay.packing import unpacked_policies
from trainer.web.game.search_pool import SearchPool
from trainer.web.http.answer import JsonAnswer
from trainer.web.http.refusal import Refusal
from trainer.web.runs.games import require_rules
from trainer.web.runs.missing import MissingError
from trainer.web.runs.runs import NO_RUN, Runs
from trainer.web.runs.timeline import Timeline

RESULTS = {"first": FIRST, "second": SECOND, "draw": DRAW}
LISTED_MOVES = 8
"""Moves of the policy target that get names."""
SHARE_DIGITS = 6
"""Digits after the point of a share in a policy target. The page shows three, and a game of Go has some 100,000 shares."""
MISFIT = "This stored game does not fit the rules of its game; another program may have written it."


class StoredGames:
    """Answers from the replay databases of a run."""

    def __init__(self, runs: Runs, pool: SearchPool) -> None:
        self._runs = runs
        self._pool = pool

    def games(self, request: Request) -> Response:
        """GET /replay/games: games of a run, the newest first.

        `run`; `result` first, second or draw; `from_step` and `to_step`, the range of the training step that the run had
        reached when the game was stored; `before`, the `next` of an earlier answer. `next` is null at the end. `now` is this
        machine's time, Unix seconds.
        """
        query = request.query_params
        result = query.get("result", "any")
        if result != "any" and result not in RESULTS:
            raise Refusal(400, f"The result must be any, {', '.join(RESULTS)}.")
        numbers = (whole_number(text, "before") for text in query.get("before", "").split("."))
        before = [number for number in numbers if number is not None]
        from_step = whole_number(query.get("from_step"), "from_step")
        to_step = whole_number(query.get("to_step"), "to_step")
        run = self._runs.pick(query.get("run"))
        if run is None:
            return no_games(NO_RUN)
        timeline = Timeline.of(run)
        times = timeline.times_of(from_step, to_step)
        if times is None:
            return no_games("The files of this run don't say when it reached these steps.")
        try:
            games, following = run.replay.games(RESULTS.get(result), times, before)
        except MissingError as error:
            return no_games(str(error))
        listed = [asdict(game) | {"model_step": timeline.step_at(game.timestamp)} for game in games]
        for game in listed:
            del game["row"]
        return JsonAnswer({"games": listed, "next": cursor_of(following), "now": time.time()})

    async def game(self, request: Request) -> Response:
        """GET /replay/game?run=NAME&episode=ID: one game, every ply with its training targets."""
        query = request.query_params
        episode = query.get("episode", "")
        rows = await run_in_threadpool(self._rows, query.get("run"), episode)
        rules = await self._pool.rules(rows[0]["env_id"])
        return await run_in_threadpool(game_of_rows, episode, rows, rules)

    def _rows(self, name: str | None, episode: str) -> list[dict[str, Any]]:
        """The rows of a game in the run of that name. Refuses a game that can't be shown."""
        run = self._runs.pick(name)
        if run is None:
            raise MissingError(NO_RUN)
        rows = run.replay.rows(episode)
        if not rows:
            raise MissingError("There is no game of that name in this run.")
        env_id = rows[0]["env_id"]
        if not isinstance(env_id, str):
            raise Refusal(422, MISFIT)
        require_rules(env_id)
        if rules_differ(run.replay.stamp(env_id), find_game(env_id).stamp):
            raise Refusal(404, "This stored game can't be shown, because it was played by other rules than those here.")
        if len(rows) > game_of(env_id).max_plies:
            raise Refusal(422, MISFIT)
        return rows


def game_of_rows(episode: str, rows: list[dict[str, Any]], rules: Any) -> Response:
    """The game `episode`, move by move. Refuses rows that don't fit."""
    plies = [ply_of(row, rules) for row in rows]
    if all(map(looks_unsearched, plies)):
        for ply in plies:
            ply["value"] = None
    last = stored_position(rules, rows[-1]["next_state"])
    end = {"ply": plies[-1]["ply"] + 1, "board": last.cells.tolist(), "mover": last.mover, "action": None}
    plies.append(end | {"score": last.score})
    return JsonAnswer({"episode_id": episode, "env_id": rows[0]["env_id"], "winner": last.winner, "plies": plies})


def looks_unsearched(ply: dict[str, Any]) -> bool:
    """Whether a row is like those of a game that an actor plays without a model: they hold the uniform policy, and the
    outcome in place of the search's value."""
    return ply["value"] == ply["outcome"] and len(set((ply["visits"] or {}).values())) == 1


def cursor_of(following: list[int] | None) -> int | str | None:
    """The `next` of an answer: a number, or several with dots between them if the run has several databases."""
    if following is None:
        return None
    if len(following) == 1:
        return following[0]
    return ".".join(map(str, following))


def no_games(message: str) -> Response:
    """An empty list of games, and why."""
    return JsonAnswer({"games": [], "next": None, "now": time.time(), "message": message})


def ply_of(row: dict[str, Any], rules: Any) -> dict[str, Any]:
    """One row: the board, the move, and the targets that the network is trained on. Refuses a row that doesn't fit."""
    position = stored_position(rules, row["state"])
    action = int.from_bytes(blob(row["action"], 4), "little")
    legal = position.legal
    if not isinstance(row["step_number"], int) or action not in legal:
        raise Refusal(422, MISFIT)
    visits = visits_of(row["policy_probs"], position, rules.GAME)
    ranked = sorted(visits or {}, key=lambda each: -(visits or {})[each])[:LISTED_MOVES]
    return {
        "ply": row["step_number"],
        "board": position.cells.tolist(),
        "mover": position.mover,
        "action": action,
        "name": position.name(action),
        "score": position.score,
        "legal_moves": legal,
        "visits": visits,
        "names": {each: position.name(int(each)) for each in ranked},
        "value": finite(row["mcts_value"]),
        "outcome": finite(row["game_outcome"]),
    }


def visits_of(policy: object, position: Position, game: Game) -> dict[str, float] | None:
    """The policy target of each legal move; None if the row has none."""
    if policy is None:
        return None
    target = np.frombuffer(blob(policy, 4 * (game.packed_moves or game.num_actions)), "<f4")
    if game.packed_moves:
        legal = np.zeros((1, game.num_actions), np.bool_)
        legal[0, position.legal] = True
        (target,) = unpacked_policies(target[None], legal)
    return {
        str(action): round(float(target[action]), SHARE_DIGITS)
        for action in position.legal
        if np.isfinite(target[action])
    }


def stored_position(rules: Any, state: object) -> Position:
    """The position of a state blob. Refuses a blob that is not a state of this game."""
    stored = blob(state, rules.GAME.state_bytes)
    parts = parts_of(rules.GAME, np.frombuffer(stored, np.uint8))
    if (
        parts.cells.max() >= len(rules.GAME.cell_symbols)
        or parts.words[MOVER] not in (FIRST, SECOND)
        or parts.words[WINNER] not in (OPEN, FIRST, SECOND, DRAW)
    ):
        raise Refusal(422, MISFIT)
    return Position.from_bytes(rules, stored)


def blob(value: object, size: int) -> bytes:
    """A stored value that must be `size` bytes. Refuses anything else."""
    if not isinstance(value, bytes) or len(value) != size:
        raise Refusal(422, MISFIT)
    return value


def finite(number: Any) -> float | None:
    """A number that JSON can hold, else None."""
    return float(number) if isinstance(number, int | float) and np.isfinite(number) else None


def whole_number(text: str | None, name: str) -> int | None:
    """The whole number in a query parameter; None if it is missing or empty. Refuses anything else."""
    if text is None or text == "":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Refusal(400, f"The parameter {name} must be a whole number.")
    return int(text)
