"""The stored games of a run: newest first, and one of them move by move with what the network is taught."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trainer.core.errors import ReplayError
from trainer.games import ENV_IDS, game_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.position import Position
from trainer.replay import check_columns, open_for_reading, reporting
from trainer.web.game.analysis import Engine
from trainer.web.http.errors import refusal
from trainer.web.runs.runs import Run, Runs
from trainer.web.runs.timeline import Timeline
from trainer.web.statistics import NO_RUN

PAGE = 24
"""Games of one answer."""
SLICE = 20_000
"""Rows of one read, so that no reader holds up a writer for long."""
SECONDS = 0.7
"""Time that one request may look for games; the answer then says where to go on."""
BUSY_MILLISECONDS = 2000
RESULTS = {"first": FIRST, "second": SECOND, "draw": DRAW}
MOST_PLIES = 1000
MISFIT = "This stored game does not fit the rules of its game; another program wrote it otherwise."


class Library:
    """The calls that browse replay.db. They only read it."""

    def __init__(self, runs: Runs, engine: Engine) -> None:
        self._runs = runs
        self._engine = engine

    def games(self, request: Request) -> Response:
        """GET /replay/games: games of a run, the newest first.

        `run`; `result` first, second or draw; `from_step` and `to_step` of the model that was the newest when the game
        was stored; `before`, the `next` of an earlier answer. `next` is null at the end.
        """
        query = request.query_params
        result = query.get("result", "any")
        if result != "any" and result not in RESULTS:
            raise refusal(400, f"The result must be any, {', '.join(RESULTS)}.")
        before = number_of(query.get("before"), "before")
        from_step, to_step = (number_of(query.get(name), name) for name in ("from_step", "to_step"))
        run = self._runs.pick(query.get("run"))
        if run is None:
            return JSONResponse({"games": [], "next": None, "message": NO_RUN})
        timeline = Timeline.of(run)
        times = timeline.times_of(from_step, to_step)
        if times is None:
            message = "This run does not tell which model was the newest when, at these steps."
            return JSONResponse({"games": [], "next": None, "message": message})
        try:
            games, further = find_games(run, RESULTS.get(result), times, before)
        except MissingError as missing:
            return JSONResponse({"games": [], "next": None, "message": str(missing)})
        for game in games:
            game["model_step"] = timeline.step_at(game["timestamp"])
        return JSONResponse({"games": games, "next": further, "steps": timeline.range})

    async def game(self, request: Request) -> Response:
        """GET /replay/game?run=NAME&episode=ID: one game, every ply with its targets."""
        run = self._runs.pick(request.query_params.get("run"))
        episode = request.query_params.get("episode", "")
        if run is None:
            raise refusal(404, NO_RUN)
        try:
            rows = await run_in_threadpool(read_game, run, episode)
        except MissingError as missing:
            raise refusal(404, str(missing)) from None
        if not rows:
            raise refusal(404, "There is no game of that name in this run.")
        env_id = rows[0]["env_id"]
        if env_id not in ENV_IDS:
            raise refusal(404, "The rules of this stored game are not known here, so it can't be shown.")
        rules = await self._engine.rules(env_id)
        plies = [ply_of(row, rules) for row in rows]
        last = stored_position(rules, rows[-1]["next_state"])
        plies.append({"ply": plies[-1]["ply"] + 1, "board": last.cells.tolist(), "mover": last.mover, "action": None})
        return JSONResponse({"episode_id": episode, "env_id": env_id, "winner": last.winner, "plies": plies})


class MissingError(Exception):
    """There is nothing to read yet; the message is a sentence for the person."""


@contextmanager
def reading(run: Run) -> Iterator[sqlite3.Connection]:
    """The run's database, open for reading. Raises MissingError where there is none, or it can't be used."""
    if not run.replay.exists():
        raise MissingError("There is no replay.db in this run yet; games show here when an actor has stored some.")
    try:
        with closing(open_for_reading(run.replay)) as connection, reporting(run.replay):
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            if not check_columns(connection, run.replay):
                raise MissingError("The replay.db of this run holds no games yet.")
            connection.row_factory = sqlite3.Row
            yield connection
    except ReplayError as error:
        raise MissingError(f"The replay.db of this run can't be read: {error}.") from error


def find_games(
    run: Run, winner: int | None, times: tuple[int, int], before: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """Up to PAGE games stored within `times` (Unix seconds, both included), the newest first, and where to go on."""
    games: list[dict[str, Any]] = []
    with reading(run) as connection:
        top = connection.execute("SELECT max(rowid) FROM transitions").fetchone()[0] or 0
        row = connection.execute(
            "SELECT max(rowid) FROM (SELECT rowid FROM transitions WHERE timestamp <= ? ORDER BY timestamp DESC LIMIT 500)",
            (times[1],),
        ).fetchone()
        newest = min(top, row[0] or 0) if before is None else min(top, before - 1)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            rows = connection.execute(
                "SELECT rowid, episode_id, env_id, step_number, timestamp, next_state FROM transitions "
                "WHERE rowid <= ? AND rowid > ? AND done = 1 AND typeof(timestamp) = 'integer' "
                "AND typeof(step_number) = 'integer' AND typeof(episode_id) = 'text' ORDER BY rowid DESC",
                (newest, newest - SLICE),
            )
            for row in rows:
                if row["timestamp"] < times[0]:
                    return games, None
                found = winner_of(row["env_id"], row["next_state"])
                if row["timestamp"] > times[1] or (winner is not None and found != winner):
                    continue
                games.append(
                    {
                        "episode_id": row["episode_id"],
                        "env_id": row["env_id"],
                        "plies": row["step_number"] + 1,
                        "winner": found,
                        "timestamp": row["timestamp"],
                    }
                )
                if len(games) == PAGE:
                    return games, row["rowid"]
            newest -= SLICE
            if newest <= 0:
                return games, None
    return games, newest + 1


def winner_of(env_id: str, state: object) -> int | None:
    """The winner byte of a state blob; None where the game's rules, or the blob, are not known here."""
    if env_id not in ENV_IDS or not isinstance(state, bytes):
        return None
    at = game_of(env_id).num_cells + 1
    return state[at] if len(state) > at and state[at] in (OPEN, FIRST, SECOND, DRAW) else None


def read_game(run: Run, episode: str) -> list[dict[str, Any]]:
    """The rows of one game in order; none where there is no such game."""
    with reading(run) as connection:
        rows = connection.execute(
            "SELECT env_id, step_number, state, action, next_state, policy_probs, mcts_value, game_outcome "
            "FROM transitions WHERE episode_id = ? ORDER BY step_number LIMIT ?",
            (episode, MOST_PLIES),
        ).fetchall()
    return [dict(row) for row in rows]


def ply_of(row: dict[str, Any], rules: Any) -> dict[str, Any]:
    """One stored position: the board, the move, and what the network is taught there."""
    position = stored_position(rules, row["state"])
    action, policy, number = blob(row["action"], 4), row["policy_probs"], row["step_number"]
    if not isinstance(number, int):
        raise refusal(422, MISFIT)
    if policy is not None:
        blob(policy, 4 * rules.GAME.num_actions)
    target = None if policy is None else np.frombuffer(policy, "<f4")
    visits = (
        None if target is None else {str(at): float(target[at]) for at in position.legal if np.isfinite(target[at])}
    )
    return {
        "ply": number,
        "board": position.cells.tolist(),
        "mover": position.mover,
        "action": int.from_bytes(action, "little"),
        "legal_moves": position.legal,
        "visits": visits,
        "value": finite(row["mcts_value"]),
        "outcome": finite(row["game_outcome"]),
    }


def stored_position(rules: Any, state: object) -> Position:
    """The position of a state blob; refuses one that is not of this game."""
    stored = blob(state, rules.GAME.state_bytes)
    cells, mover, winner = stored[: rules.GAME.num_cells], *stored[rules.GAME.num_cells :][:2]
    if max(cells) > SECOND or mover not in (FIRST, SECOND) or winner not in (OPEN, FIRST, SECOND, DRAW):
        raise refusal(422, MISFIT)
    return Position.from_bytes(rules, stored)


def blob(value: object, size: int) -> bytes:
    """A stored value that must be so many bytes; refuses anything else."""
    if not isinstance(value, bytes) or len(value) != size:
        raise refusal(422, MISFIT)
    return value


def finite(number: Any) -> float | None:
    """A number that JSON can hold, or None."""
    return float(number) if isinstance(number, int | float) and np.isfinite(number) else None


def number_of(text: str | None, name: str) -> int | None:
    """A whole number of a query; refuses anything else."""
    if text is None or text == "":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise refusal(400, f"The parameter {name} must be a whole number.")
    return int(text)
