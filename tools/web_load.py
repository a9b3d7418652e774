"""Put load on the web server from another process, and report how it copes.

    python tools/web_load.py --data-dir data --seconds 60

First one browser plays Connect 4 alone, to time a move without other load. Then 50 browsers poll /stats once per second
while 10 games make a move every 2 seconds, with 100 simulations each. Then up to 1,000 sessions are started per second.
Reports errors, times and the server's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx
import numpy as np

BROWSERS, GAMES, PAUSE, SIMULATIONS = 50, 10, 2.0, 100


class Record:
    """The calls that were made: the seconds of each by kind, and errors."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.errors: list[str] = []

    async def call(self, kind: str, client: httpx.AsyncClient, method: str, path: str, **more: object) -> dict:
        """Make one call and time it. Returns the JSON object, or an empty one after an error, which is kept."""
        began = time.perf_counter()
        try:
            response = await client.request(method, path, **more)
            response.raise_for_status()
        except httpx.HTTPError as error:
            self.errors.append(f"{kind}: {error!r}")
            return {}
        self.seconds.setdefault(kind, []).append(time.perf_counter() - began)
        return dict(response.json())

    def line(self, kind: str) -> str:
        """Number and times of the calls of a kind."""
        values = 1000 * np.array(self.seconds.get(kind, [np.nan]))
        return (
            f"{kind:8} {len(values):6} calls, median {np.median(values):6.1f} ms, "
            f"95th percentile {np.percentile(values, 95):6.1f} ms, worst {values.max():6.1f} ms"
        )


async def play(record: Record, url: str, end: float, pause: float, generator: random.Random) -> None:
    """One browser that plays games of Connect 4 until `end`."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await asyncio.sleep(generator.random() * pause)
        state: dict = {"game_over": True}
        while time.monotonic() < end:
            if state.get("game_over", True):
                body = {"first": "player", "game": "connect4", "simulations": SIMULATIONS}
                state = await record.call("new", client, "POST", "/game/new", json=body)
                continue
            move = {"position": generator.choice(state["legal_moves"])}
            state = await record.call("move", client, "POST", "/move", json=move)
            await asyncio.sleep(pause)


async def poll(record: Record, url: str, end: float) -> None:
    """One browser that watches."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await asyncio.sleep(random.random())
        while time.monotonic() < end:
            await record.call("stats", client, "GET", "/stats")
            await asyncio.sleep(1)


async def flood(record: Record, url: str, seconds: float) -> None:
    """Start new sessions, 1,000 per second if the server keeps up."""
    limits = httpx.Limits(max_connections=20)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            client.cookies.clear()
            await asyncio.gather(
                *(record.call("session", client, "GET", "/game/state", headers={"cookie": ""}) for _ in range(100))
            )
            await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - began)))


def memory(process: int) -> float:
    """Resident memory of a process, MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def load(url: str, server: int, seconds: float) -> None:
    """The three parts, one after the other."""
    warm, alone, loaded, flooded = Record(), Record(), Record(), Record()
    await play(warm, url, time.monotonic() + 3, 0.01, random.Random(1))
    await play(alone, url, time.monotonic() + 10, 0.1, random.Random(2))
    print("alone  ", alone.line("move"))
    before = memory(server)
    end = time.monotonic() + seconds
    await asyncio.gather(
        *(poll(loaded, url, end) for _ in range(BROWSERS)),
        *(play(loaded, url, end, PAUSE, random.Random(number)) for number in range(GAMES)),
    )
    print("loaded ", loaded.line("move"))
    print("loaded ", loaded.line("stats"))
    print(f"loaded  errors {len(loaded.errors)}, memory {before:.1f} MiB before, {memory(server):.1f} MiB after")
    seen = []
    for _ in range(3):
        await flood(flooded, url, 5)
        seen.append(f"{memory(server):.1f}")
    print("flooded", flooded.line("session"))
    print(f"flooded errors {len(flooded.errors)}, memory after each 5 s: {', '.join(seen)} MiB")
    for error in (*alone.errors, *loaded.errors, *flooded.errors)[:5]:
        print(error)


def main() -> None:
    """Start a server over a folder and put load on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "trainer.web", "--data-dir", str(chosen.data_dir), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().split()[0]
        time.sleep(3)  # meanwhile the server compiles or loads the games
        asyncio.run(load(url, server.pid, chosen.seconds))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
