"""Damaged inputs for the page's server: `python -m torture.page FOLDER [INPUTS]`.

Half of the inputs are requests to a real server with random changes to bodies, queries, headers or the whole request. The
other half are damaged files of the run that the server shows. Each must give a correct answer or a sentence within seconds
and within limited memory, and a request that is refused must change nothing.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import psutil
from browser import Server
from run_files import put_run
from waiting import PATIENCE

from torture.damage import MEMORY, mutated
from torture.visitor import Visitor
from trainer.core.files import write_bytes
from trainer.games import ENV_IDS

CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/game/new", {"first": "player", "game": "tictactoe", "simulations": 10}),
    ("POST", "/game/new", {"first": "bot", "game": "connect4", "simulations": 30}),
    ("POST", "/game/new", {"first": "bot", "game": "othello", "simulations": 0}),
    *(("POST", "/move", {"position": position}) for position in (0, 3, 4, 19)),
    ("POST", "/game/settings", {"simulations": 20}),
    ("POST", "/game/undo", {}),
    ("GET", "/game/analysis", {"ply": "1"}),
    ("GET", "/game/state", {}),
    ("GET", "/game/moves", {}),
    ("GET", "/stats", {"run": "."}),
    ("GET", "/actor-stats", {"run": "."}),
    ("GET", "/model", {"game": "tictactoe"}),
    ("GET", "/game-info/othello", {}),
    ("GET", "/replay/games", {"result": "first", "from_step": "10", "to_step": "500", "before": "9"}),
    ("GET", "/replay/game", {"run": ".", "episode": "test-game-000"}),
)
STRANGE_NUMBERS = [-1, 0, 1, 4, 801, 2**31, 2**63, -(2**63), 10**400, 0.5, 1e308, float("nan"), float("inf")]
STRANGE_TEXTS = [
    "",
    "player",
    "bot",
    "0",
    "\x00",
    "\ud800",
    "é" * 3000,
    "../../etc/passwd",
    "tictactoe\n",
    "'; DROP TABLE x",
]
STRANGE_CONTAINERS: list[Any] = [[], {}, [[]], ["player"], {"first": "bot"}, [0] * 500]
STRANGE = [None, True, False, *STRANGE_NUMBERS, *STRANGE_TEXTS, *STRANGE_CONTAINERS]
"""Values to put into any field."""
LOOKS = (
    "/runs",
    "/stats",
    "/actor-stats",
    "/model",
    "/replay/games",
    "/game/state",
    "/replay/game?episode=test-game-000",
    "/replay/game?episode=test-game-001",
)
"""The calls that read the files of a run."""


def check(status: int, content: bytes) -> bool:
    """Whether a request was answered (True) or refused with a sentence (False). Raises AssertionError for anything else."""
    if status == 200:
        json.loads(content, parse_constant=lambda text: 1 / 0)
        return True
    assert 400 <= status < 500, (status, content)
    sentence = content.decode()
    assert re.fullmatch(r"[^\n]{9,499}\.", sentence), sentence
    return False


def a_request(generator: random.Random) -> tuple[str, str, bytes, dict[str, str]]:
    """A call of the API with some damage: method, address, body, headers."""
    method, path, fields = generator.choice(CALLS)
    fields = dict(fields)
    kind = generator.randrange(6)
    if kind == 0 and fields:
        fields[generator.choice(list(fields))] = generator.choice(STRANGE)
    elif kind == 1:
        fields[generator.choice(["first", "game", "simulations", "position", "ply", "run"])] = generator.choice(STRANGE)
    headers = {}
    if kind == 2:
        noise = (
            generator.randbytes(generator.choice((1, 40, 2000))).decode("latin-1").replace("\r", "").replace("\n", "")
        )
        headers[generator.choice(["cookie", "content-type", "accept", "origin"])] = noise
    if method == "GET":
        values = [(name, str(value).encode(errors="surrogatepass")) for name, value in fields.items()]
        if kind >= 3:
            values = [(name, mutated(value + b"/", generator)) for name, value in values]
        return method, f"{path}?{'&'.join(f'{name}={quote_from_bytes(value)}' for name, value in values)}", b"", headers
    body = json.dumps(fields).encode()
    if kind == 3:
        body = generator.choice((b"[" * 9000, b'{"first":' * 1500, b"9" * 9000, generator.randbytes(40_000)))
    elif kind >= 4:
        body = mutated(body, generator)
    return method, path, body, headers


def send_raw(port: int, request: bytes) -> None:
    """Send a whole request as bytes. Any answer but a 5xx status is right, and so is no answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert not answer.startswith(b"HTTP/1.1 5"), answer


def attack_requests(server: Server, inputs: int) -> Counter[bool]:
    """Send `inputs` damaged requests. Counts those that were answered (True) and refused (False)."""
    counts: Counter[bool] = Counter()
    visitor = Visitor(server.port)
    visitor.json("POST", "/game/new", first="player")
    state = visitor.json("GET", "/game/state")
    for number in range(inputs):
        generator = random.Random(f"request-{number}")
        method, path, body, headers = a_request(generator)
        try:
            if number % 10 == 0:
                head = (
                    f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {len(body)}"
                )
                send_raw(server.port, mutated(f"{head}\r\n\r\n".encode() + body, generator))
            good = check(*visitor.ask(method, path, body, headers))
            counts[good] += 1
            after = visitor.json("GET", "/game/state")
            assert good or after == state, "a refused request changed the game"
            state = after
        except Exception as error:
            raise AssertionError(f"request {number}: {method} {path} {headers} {body[:500]!r}") from error
    visitor.close()
    return counts


def strange_json(content: Any, generator: random.Random) -> Any:
    """The same content with one strange value somewhere in it."""
    if isinstance(content, dict | list) and content and generator.randrange(4):
        key = generator.choice(list(content) if isinstance(content, dict) else range(len(content)))
        changed = content.copy()
        changed[key] = strange_json(content[key], generator)
        return changed
    return generator.choice(STRANGE)


def first_event(port: int) -> None:
    """Read the first event of the live statistics."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        heard = b""
        while b"data: " not in heard or not heard.endswith(b"\n\n\r\n"):
            more = connection.recv(65536)
            assert more, heard
            heard += more
    assert heard.startswith(b"HTTP/1.1 200"), heard


def attack_files(server: Server, inputs: int) -> Counter[bool]:
    """Put `inputs` damaged files in place and look at each. Counts calls that were answered (True) and refused (False)."""
    folder = server.folder
    good = {name: (folder / name).read_bytes() for name in ("stats.json", "actor_stats.json", "replay.db")}
    counts: Counter[bool] = Counter()
    visitor = Visitor(server.port)
    for number in range(inputs):
        generator = random.Random(f"file-{number}")
        name = generator.choice(("stats.json", "actor_stats.json", "replay.db", "replay.db"))
        if name != "replay.db" and generator.randrange(2):
            content = json.dumps(strange_json(json.loads(good[name]), generator)).encode()
        else:
            content = mutated(good[name], generator)
        write_bytes(folder / name, content, durable=False)
        shutil.copyfile(folder / name, folder.parent / "input")
        try:
            for path in LOOKS:
                counts[check(*visitor.ask("GET", path))] += 1
            if name != "replay.db":
                first_event(server.port)
        except Exception as error:
            raise AssertionError(f"file {number}: {name}, kept as {folder.parent / 'input'}") from error
        for left in (*folder.glob("replay.db-*"), *folder.glob(name)):
            left.unlink()
        write_bytes(folder / name, good[name], durable=False)
    visitor.json("GET", "/replay/game?episode=test-game-000")
    visitor.close()
    return counts


def memory_of(process: int) -> int:
    """Bytes of resident memory: the most so far; where a system doesn't tell that of another process, those of now."""
    status = Path(f"/proc/{process}/status")
    most = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(most[1]) * 1024 if most else int(psutil.Process(process).memory_info().rss)


def main() -> None:
    """Attack one server with both."""
    folder, inputs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    run = folder / "run"
    put_run(run)
    with open(folder / "web.log", "wb") as log:
        server = Server(run, log)
    first = Visitor(server.port)
    for game in ENV_IDS:
        first.json("POST", "/game/new", game=game)
    first.close()
    try:
        requests = attack_requests(server, inputs // 2)
        files = attack_files(server, inputs - inputs // 2)
        used = memory_of(server.process)
        assert used < MEMORY, f"the server used {used} bytes"
    finally:
        status = server.stop()
    said = (folder / "web.log").read_text()
    assert (status, "Traceback" in said) == (0, False), said[-3000:]
    print(
        f"{inputs // 2:,} requests ({requests[True]:,} answered, {requests[False]:,} refused), "
        f"{inputs - inputs // 2:,} files looked at ({files[True]:,} answers, {files[False]:,} refusals); "
        f"{used // 2**20} MiB"
    )


if __name__ == "__main__":
    main()
