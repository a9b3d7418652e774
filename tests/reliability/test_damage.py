"""Whatever stands in a row or in a statistics file: an error of ours, or a correct result. By Hypothesis."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from conftest import CENTRE, EMPTY_BOARD, ForeignDatabase
from episodes import TICTACTOE
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from trainer.core.errors import ReplayError
from trainer.replay import METADATA_COLUMNS, ReplayBuffer, read_game
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import write_actor
from trainer.run.evaluations import EvaluationLog
from trainer.run.training_statistics import merge_evaluations
from trainer.settings.web import WebConfig
from trainer.web.app import build_app

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=50),
    st.binary(max_size=200),
)
FLOATS = st.lists(st.floats(width=32), min_size=9, max_size=29).map(lambda row: np.array(row, "<f4").tobytes())
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["actors", "env_id", "process", "step", "history", "a-1"]), inner, max_size=4),
    ),
    max_leaves=12,
)

FIELDS = st.sampled_from(["first", "game", "simulations", "position"])
BODIES = st.one_of(
    st.dictionaries(FIELDS, st.one_of(JSON, st.sampled_from(["player", "bot", "othello", 4, 20])), max_size=4).map(
        lambda value: json.dumps(value).encode()
    ),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
)


@settings(max_examples=150)
@given(
    observation=st.one_of(st.just(EMPTY_BOARD), VALUES, FLOATS),
    policy=st.one_of(st.just(CENTRE), VALUES, FLOATS),
    outcome=st.one_of(st.just(1.0), VALUES),
    value=st.one_of(st.just(0.5), VALUES),
)
def test_any_row_is_refused_by_name_or_right(observation: Any, policy: Any, outcome: Any, value: Any) -> None:
    """A row that is taken gives finite numbers in their range; --skip-bad-rows leaves out just what would be refused."""
    if observation is None:
        observation = b""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        database = ForeignDatabase(Path(folder) / "replay.db")
        database.add_tictactoe(1)
        database.add(observation, policy, outcome, value)
        database.connection.commit()
        database.close()
        skipping = opened.enter_context(closing(ReplayBuffer(database.path, TICTACTOE, skip_bad_rows=True)))
        skipping.refresh()
        strict = opened.enter_context(closing(ReplayBuffer(database.path, TICTACTOE)))
        try:
            strict.refresh()
            refused = False
        except ReplayError as error:
            refused = True
            message = str(error)
        if refused:
            assert message.startswith("row foreign-step-1 of ")
            assert len(message) < 400
        assert (len(skipping), skipping.bad_rows) == ((1, 1) if refused else (2, 0))
        batch = skipping.sample(np.random.default_rng(0), 8, q_weight=0.5)
        assert np.isfinite(batch.observation).all()
        sums = batch.policy_target.sum(axis=1)
        assert np.allclose(sums, sums > 0, atol=2e-3)  # 1 with a policy, 0 without
        assert not (batch.policy_target > 0)[~batch.legal].any()
        assert np.isfinite(batch.value_target).all()


@settings(max_examples=100)
@given(
    values=st.lists(st.one_of(st.integers(0, 70_000), st.integers(1, 65_536), VALUES), min_size=5, max_size=5),
    players=st.one_of(st.just(2), st.none(), VALUES),
)
@example(values=[3, 3, 9, 29, 18], players=2)
@example(values=[3, 3, 9, 29, 18], players=None)
@example(values=[3, 3, 9, 65_537, 18], players=2)
def test_any_metadata_is_refused_or_counts(values: list[Any], players: Any) -> None:
    """No dimension can be so large that it fills the memory; plain ones are read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.db"
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE TABLE game_metadata ({', '.join(METADATA_COLUMNS)})")
        connection.execute("INSERT INTO game_metadata VALUES ('tictactoe', 'x', ?, ?, ?, ?, ?, ?)", (*values, players))
        connection.commit()
        connection.close()
        try:
            metadata, _ = read_game(path, "tictactoe")
        except ReplayError:
            assert values != [3, 3, 9, 29, 18] or players not in (2, None)
            return
        assert metadata is not None
        found = [getattr(metadata, name) for name in METADATA_COLUMNS[2:]]
        assert found == [*values, 2]
        assert players in (2, None)
        assert all(isinstance(count, int) and 0 <= count <= 65_536 for count in found)


def test_any_body_is_answered_or_refused_by_a_sentence(tmp_path: Path) -> None:
    """Of every call that takes one; what is refused leaves the game as it was."""
    app = build_app(WebConfig(data_dir=tmp_path, host="0.0.0.0"), Event())
    with TestClient(app) as client:
        client.post("/game/new", json={"first": "player"})

        @settings(max_examples=150)
        @given(call=st.sampled_from(["/game/new", "/move", "/game/settings", "/game/undo"]), content=BODIES)
        def try_one(call: str, content: bytes) -> None:
            before = client.get("/game/state").json()
            answer = client.post(call, content=content)
            if answer.status_code != 200:
                assert answer.status_code in (400, 404)
                assert answer.text.endswith(".")
                assert len(answer.text) < 200
                assert client.get("/game/state").json() == before

        try_one()


@settings(max_examples=150)
@given(content=st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)))
def test_any_statistics_file_is_read_or_replaced(content: bytes) -> None:
    """An actor writes its own part whatever it finds there; an evaluation list leaves out what is none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("actor_stats.json", "stats.json", "evaluations.jsonl"):
            (folder / file).write_bytes(content + b"\n")
        write_actor(folder / "actor_stats.json", "actor-1", ActorStats("tictactoe", episodes_completed=1))
        assert json.loads((folder / "actor_stats.json").read_bytes())["episodes_completed"] >= 1
        assert all(isinstance(evaluation, dict) for evaluation in EvaluationLog(folder / "evaluations.jsonl").read())
        merge_evaluations(folder / "stats.json", EvaluationLog(folder / "evaluations.jsonl"))
