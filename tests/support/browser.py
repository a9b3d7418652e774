"""A real browser and a real server for tests, each in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def chromium_path() -> str:
    """Where Chromium is; the test is skipped where it is not, and fails in continuous integration."""
    if CHROMIUM is None:
        reason = "no chromium on this machine: the browser tests did not run (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return CHROMIUM


class Server:
    """`python -m trainer.web` over a folder. It keeps its port when it is started again."""

    def __init__(self, folder: Path, log: int | IO[bytes] = subprocess.DEVNULL) -> None:
        """`log`: where its log goes."""
        self.folder = folder
        self._log = log
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "trainer.web", "--data-dir", str(self.folder), "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        self.port = int(found[1])

    @property
    def url(self) -> str:
        """The page."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        status = self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server that is gone at the end."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Window:
    """A page of a browser context of its own, and what it complained about."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def listen(self, home: str) -> None:
        """Collect errors of the page, and requests that leave the server."""

        def said(message: Any) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(message.text)

        self.page.on("console", said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda request: None if request.url.startswith(home) else self.complaints.append(f"asked {request.url}"),
        )


@contextmanager
def window(browser: Any, home: str, width: int = 1440, height: int = 900, theme: str = "light") -> Iterator[Window]:
    """A window on the page; at the end it must have had nothing to complain about."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(10_000)
    found = Window(context.new_page())
    found.listen(home)
    try:
        found.page.goto(home)
        yield found
    finally:
        context.close()
    assert found.complaints == []
