"""Browsers: a real one for tests of the page, and one without a socket for tests of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, Server, chromium_path, serving
from playwright.sync_api import expect, sync_playwright
from run_files import EVALUATIONS, put_model, put_stats, store_games
from starlette.testclient import TestClient
from stored_rows import remove_policies
from waiting import PATIENCE
from web_client import client_of

from trainer import pretrained


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package comes without models, so a game has a model only if a run has one."""
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path_factory.getbasetemp() / "no-models")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A browser at a server whose data folder is still empty."""
    with client_of(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests here."""
    path = chromium_path()
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def empty(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without any run: uniform-guess search plays, and its raw policy plays the first legal move."""
    with serving(tmp_path_factory.mktemp("empty")) as server:
        yield server


@pytest.fixture(scope="module")
def full(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over one run of each game, with statistics, models and stored games."""
    folder = tmp_path_factory.mktemp("full")
    games = {"tictactoe": [[0, 3, 1, 4, 2], [0, 3, 1, 4, 8, 5]], "connect4": [[3, 0, 3, 0, 3, 0, 3]], "othello": []}
    for env_id, actions in games.items():
        put_model(folder / env_id, env_id, favourite=0, step=100)
        put_stats(folder / env_id, env_id, 300, last_eval=EVALUATIONS[-1], eval_history=EVALUATIONS)
        if actions:
            store_games(folder / env_id, env_id, actions)
            remove_policies(folder / env_id / "replay.db")
    with serving(folder) as server:
        yield server
