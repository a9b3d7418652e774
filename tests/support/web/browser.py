"""A real browser and a real server for tests, each in its own process."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
from waiting import PATIENCE

QUICK = """
for (const name of ["setTimeout", "setInterval"]) {
  const real = window[name];
  window[name] = (call, ms, ...words) => real(call, Math.min(ms ?? 0, 1500), ...words);
}
"""
"""A script for `window`, with which the page waits 1.5 s at most where it would wait for seconds."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Flags of Chromium."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def chromium_path() -> str:
    """The path of Chromium. Without Chromium the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: the browser tests did not run (Debian: apt-get install chromium)")
    return CHROMIUM


WITHOUT_SHIPPED_MODELS = """
import sys
from pathlib import Path
from trainer import pretrained
from trainer.web.__main__ import main
pretrained.FOLDER = Path("no-models")
sys.exit(main())
"""
"""`python -m trainer.web`, where a game has a model only if a run has one."""


def lasting_port() -> int:
    """A port that nobody listens on, and that a server finds free again when it is started once more.

    From 32,768 on, systems give ports to outgoing connections.
    """
    while True:
        try:
            with socket.create_server(("127.0.0.1", 20_000 + secrets.randbelow(12_768))) as listener:
                return int(listener.getsockname()[1])
        except OSError:  # it is taken
            continue


class Server:
    """`python -m trainer.web` over a folder, without shipped models. When it is started again it keeps its port."""

    def __init__(
        self, folder: Path, log: int | IO[bytes] = subprocess.DEVNULL, games: Sequence[Path] = (), port: int = 0
    ) -> None:
        """`log`: where its standard error goes. `games`: files of further games. `port`: 0 for any that is free."""
        self.folder = folder
        self._games = ["--games", *map(str, games)] if games else []
        self._log = log
        self.port = port
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [
            sys.executable,
            "-c",
            WITHOUT_SHIPPED_MODELS,
            "--data-dir",
            str(self.folder),
            "--port",
            str(self.port),
        ]
        command += self._games
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        self.port = int(found[1])

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it the way a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end. Returns its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        status = self._process.wait(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status


@contextmanager
def serving(folder: Path, games: Sequence[Path] = (), log: int | IO[bytes] = subprocess.DEVNULL) -> Iterator[Server]:
    """A server that is stopped at the end. `log`: where its standard error goes."""
    server = Server(folder, log, games)
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Window:
    """A page in its own browser context, and what went wrong on it."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def listen(self, home: str) -> None:
        """Collect errors of the page, which include files that it can't load, and requests to other servers."""

        def said(message: Any) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(message.text)

        def asked(request: Any) -> None:
            if not request.url.startswith(home):
                self.complaints.append(f"asked {request.url}")

        self.page.on("console", said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", asked)


@contextmanager
def window(
    browser: Any, home: str, width: int = 1440, height: int = 900, theme: str = "light", script: str = ""
) -> Iterator[Window]:
    """A window that shows the page. At the end nothing may have gone wrong on it.

    `script` is JavaScript that runs before the page's own.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(1000 * PATIENCE)
    if script:
        context.add_init_script(script)
    found = Window(context.new_page())
    found.listen(home)
    try:
        found.page.goto(home)
        yield found
    finally:
        context.close()
    assert found.complaints == []


def begin(page: Any, env_id: str, simulations: str = "raw policy") -> None:
    """Choose the game and the model's search."""
    page.locator(f"input[value='{env_id}']").check()
    page.locator(board(env_id)).wait_for()
    page.locator("#strength").press("Home")
    page.get_by_text(simulations, exact=True).wait_for()
    page.get_by_role("button", name="New game").click()
    settled(page)


def board(env_id: str) -> str:
    """The selector of a game's board."""
    return f".board[data-game='{env_id}']"


def settled(page: Any) -> None:
    """Wait until the server has answered everything that the page asked."""
    page.locator(".boardholder:not(.waiting)").wait_for()


def click(page: Any, *targets: int) -> None:
    """Click on cells or a column with the mouse, once it is our turn; 64 is Othello's pass."""
    for target in targets:
        if target == 64:
            page.get_by_role("button", name="Pass", exact=True).click()
        else:
            page.locator(f".target.open[data-target='{target}']").click()
