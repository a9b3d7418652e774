"""What a step costs on any machine: Python calls, SQL statements and bytes."""

from __future__ import annotations

import sqlite3
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import Any

import numpy as np
import pytest
from conftest import ForeignDatabase
from kinds import every_kind
from numpy.typing import NDArray

from trainer.actor.selfplay import SelfPlay
from trainer.evaluators.interface import Evaluate, FunctionEvaluator
from trainer.games import game_of
from trainer.games.base import Mask
from trainer.replay import Metadata, ReplayBuffer
from trainer.settings.groups.self_play import SelfPlaySettings

with_and_without_cache = pytest.mark.parametrize("cache", [0, 64])
TICTACTOE = Metadata("tictactoe", "Tic-Tac-Toe", 3, 3, 9, 29, 18)


def constant(env_id: str, slots: int) -> Evaluate:
    """The uniform guess over all actions, in arrays that are allocated once."""
    prior = np.full((slots, game_of(env_id).num_actions), 1 / game_of(env_id).num_actions, np.float32)
    value = np.zeros(slots, np.float32)

    def evaluate(observation: NDArray[np.float32], legal: Mask) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return prior, value

    return evaluate


def lockstep(env_id: str, slots: int, cache: int = 0) -> Callable[[], None]:
    """A step of self-play in which no game begins or ends for the next 150 calls, because searches are long.

    With a cache a step makes several simulations, so searches are longer still.
    """
    config = SelfPlaySettings(simulations=1000 if cache else 200, cache=cache)
    player = SelfPlay(env_id, slots, count(), 1, "a", config)
    evaluator = FunctionEvaluator(constant(env_id, slots))

    def step() -> None:
        assert player.step(evaluator) == []

    for _ in range(20):
        step()
    return step


def python_calls(function: Callable[[], None]) -> int:
    """How many functions were called, Python's and built-in ones."""
    calls = 0

    def count_call(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


@every_kind
@with_and_without_cache
def test_the_python_calls_of_a_step_do_not_grow_with_the_games(env_id: str, cache: int) -> None:
    """With 4 games and with 256 a step makes the same number of calls, fewer than 40."""
    few, many = lockstep(env_id, 4, cache), lockstep(env_id, 256, cache)
    calls = [[python_calls(step) for _ in range(100)] for step in (few, many)]
    assert calls[0] == calls[1]
    assert max(calls[0]) < 40


def bytes_of_a_hundred(step: Callable[[], None]) -> tuple[int, int]:
    """Bytes above the start during a hundred steps, at the peak and at the end; the test runner's threads may add some.

    Without what Python itself caches for attributes that were looked up, up to 4,096 names.
    """
    clear_names = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
    tracemalloc.start()
    try:
        step()
        clear_names()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            step()
            clear_names()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before, after - before


@every_kind
@with_and_without_cache
def test_a_step_allocates_nothing_that_grows_with_the_games(env_id: str, cache: int) -> None:
    """A hundred steps never hold more with 1024 games than with 4, which is little, and nothing at the end.

    The least of three rounds counts, because other threads of the process only add bytes.
    """
    at_most = {}
    for slots in (4, 1024):
        rounds = [bytes_of_a_hundred(lockstep(env_id, slots, cache)) for _ in range(3)]
        at_most[slots] = min(peak for peak, _ in rounds)
        assert min(at_end for _, at_end in rounds) < 512
    assert at_most[1024] < at_most[4] + 512 < 4096


def test_a_batch_costs_no_sql(tictactoe_rows: ForeignDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing a batch sends no SQL statement, nor does `refresh` until it is time to look for new rows."""
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    with closing(ReplayBuffer(tictactoe_rows.path, TICTACTOE)) as replay:
        assert replay.refresh() == 200
        assert any("SELECT" in statement for statement in statements)
        statements.clear()
        generator = np.random.default_rng(0)
        for _ in range(20):
            assert replay.refresh(every=3600) == 0
            replay.sample(generator, 64, q_weight=0.5)
    assert statements == []


def test_a_batch_needs_no_database(tictactoe_rows: ForeignDatabase) -> None:
    """Rows in memory can be drawn after the file was closed and deleted."""
    replay = ReplayBuffer(tictactoe_rows.path, TICTACTOE)
    replay.refresh()
    replay.close()
    tictactoe_rows.close()
    tictactoe_rows.path.unlink()
    assert len(replay.sample(np.random.default_rng(0), 64).value_target) == 64
