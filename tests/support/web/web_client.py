"""A browser at the web API, without a socket between them."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

from starlette.testclient import TestClient

from trainer.settings.web import WebConfig
from trainer.web.app import build_app

HOME = "http://127.0.0.1:8080"


def client_of(folder: Path, stop: Event | None = None, **settings: Any) -> TestClient:
    """A new browser at a new server over `folder`. `stop` ends its live streams; `settings` are fields of WebConfig."""
    return TestClient(build_app(WebConfig(data_dir=folder, **settings), stop or Event()), base_url=HOME)


def another_browser(client: TestClient) -> TestClient:
    """A browser without a cookie at the same server."""
    return TestClient(client.app, base_url=HOME)


def sentence(response: Any, status: int) -> str:
    """The sentence of a refusal, checked to be one: this status, plain text, one line that ends in a full stop."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/plain")
    text: str = response.text
    assert text.endswith(".")
    assert "\n" not in text
    assert 10 < len(text) < 200
    return text
