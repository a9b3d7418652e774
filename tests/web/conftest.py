"""A browser for every test of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from web_client import client_of


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A browser at a server whose data folder is still empty."""
    with client_of(tmp_path) as found:
        yield found
