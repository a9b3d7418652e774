"""What holds for every call: bodies, addresses, headers, host names, and the server's settings."""

from __future__ import annotations

import os
import re
import socket
from importlib.resources import files
from pathlib import Path
from threading import Event

import pytest
from starlette.testclient import TestClient
from web_client import client_of, sentence

from trainer.core.errors import ConfigError
from trainer.core.listener import listen, url_of
from trainer.settings.web import WebConfig
from trainer.web.game.search_pool import MAX_SIMULATIONS
from trainer.web.http.body import MAX_BYTES

STATIC = Path(str(files("trainer.web") / "static"))
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize("call", ["/move", "/game/new", "/game/settings"])
@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 9000, b"nonsense"])
def test_a_malformed_body_is_refused(client: TestClient, call: str, body: bytes) -> None:
    """The answer is 400 and a sentence; the game stays as it was."""
    client.get("/game/state")
    client.post("/move", json={"position": 4})
    before = client.get("/game/state").json()
    sentence(client.post(call, content=body), 400)
    assert client.get("/game/state").json() == before


@pytest.mark.parametrize("call", ["/move", "/game/new", "/game/settings"])
def test_a_body_that_is_too_large_is_refused(client: TestClient, call: str) -> None:
    """The answer is 413, whether the length is stated or not; the game stays as it was."""
    client.get("/game/state")
    before = client.get("/game/state").json()
    sentence(client.post(call, content=b"x" * 10_000_000), 413)
    sentence(client.post(call, content=(b"x" * 100_000 for _ in range(100))), 413)
    sentence(client.post(call, content=b" " * (MAX_BYTES + 1)), 413)
    assert client.get("/game/state").json() == before


def test_unknown_addresses_and_methods_are_refused(client: TestClient) -> None:
    """The answer is 404 or 405 and a sentence; no path leads out of the page's files."""
    sentence(client.get("/nothing"), 404)
    sentence(client.get("/static/nothing.js"), 404)
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/css/../../app.py"):
        sentence(client.get(path), 404)
    sentence(client.post("/games"), 405)
    sentence(client.get("/move"), 405)


def test_small_packets_are_sent_at_once() -> None:
    """Otherwise the second packet of an answer waits until the first is acknowledged, about 40 ms."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("allowed", "resources"),
    [((), "same-origin"), (("http://localhost:5173",), "cross-origin")],
    ids=["own", "foreign"],
)
def test_every_answer_carries_the_security_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: tuple[str, ...], resources: str
) -> None:
    """Also that to a request that is refused, or fails because of a bug. A page of an allowed origin may load them."""
    monkeypatch.setattr("trainer.web.api.statistics.stats_of", lambda run: 1 / 0)
    expected = SECURITY_HEADERS | {"cross-origin-resource-policy": resources}
    with client_of(tmp_path, allow_origin=allowed) as client:
        statuses = {"/": 200, "/health": 200, "/static/main.js": 200, "/nothing": 404, "/stats": 500}
        answers = [client.get(path) for path in statuses]
        assert [answer.status_code for answer in answers] == list(statuses.values())
        answers.append(client.get("/health", headers={"host": "evil.example"}))
        answers.append(client.post("/move", headers={"origin": "http://evil.example"}))
        assert [answer.status_code for answer in answers[-2:]] == [421, 403]
        for answer in answers:
            assert {name: answer.headers.get(name) for name in expected} == expected


def test_the_page_names_no_other_server(client: TestClient) -> None:
    """The browser loads all parts of it from ours."""
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text


def test_a_file_of_the_page_is_sent_again_only_after_a_change(client: TestClient) -> None:
    """A browser that has the file already gets 304."""
    tag = client.get("/static/main.js").headers["etag"]
    assert client.get("/static/main.js", headers={"if-none-match": tag}).status_code == 304


def test_a_large_answer_is_gzipped_if_the_browser_accepts_that(client: TestClient) -> None:
    """The length is that of what is sent, also after HEAD. Small answers are sent as they are."""
    zipped = client.get("/game-info/othello", headers={"accept-encoding": "gzip"})
    plain = client.get("/game-info/othello", headers={"accept-encoding": "identity"})
    assert (zipped.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert zipped.json() == plain.json()
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"]) == len(plain.content)
    assert {answer.headers["vary"] for answer in (zipped, plain)} == {"Accept-Encoding"}
    head = client.head("/game-info/othello", headers={"accept-encoding": "gzip"})
    assert head.headers["content-length"] == zipped.headers["content-length"]
    assert "content-encoding" not in client.get("/health", headers={"accept-encoding": "gzip"}).headers


def test_every_file_that_the_page_names_is_there(client: TestClient) -> None:
    """Style sheets and scripts of the page, and all modules that the scripts import, however deep."""
    pending = [f"/{path}" for path in re.findall(r'(?:href|src)="(static/[^"]+)"', client.get("/").text)]
    assert pending
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path)
        assert response.status_code == 200, path
        if path.endswith(".js"):
            folder = path.rpartition("/")[0]
            imported = re.findall(r'^import .* from "(\..+)";', response.text, re.MULTILINE)
            pending += [os.path.normpath(f"{folder}/{name}") for name in imported]
    assert {
        "/static/css/views.css",
        "/static/views/watch.js",
        "/static/parts/chart.js",
        "/static/vendor/uplot.js",
    } <= seen


def test_no_other_origin_reads_answers_unless_it_is_allowed(tmp_path: Path) -> None:
    """By default there is no CORS header; with --allow-origin there is one for that origin alone, cookies included."""
    origin = {"origin": "http://localhost:5173"}
    with client_of(tmp_path) as client:
        assert "access-control-allow-origin" not in client.get("/stats", headers=origin).headers
    with client_of(tmp_path, allow_origin=["http://localhost:5173"]) as client:
        headers = client.get("/stats", headers=origin).headers
        assert headers["access-control-allow-origin"] == "http://localhost:5173"
        assert headers["access-control-allow-credentials"] == "true"
        other = client.get("/stats", headers={"origin": "http://evil.example"})
        assert "access-control-allow-origin" not in other.headers


ELSEWHERE = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:3000"},
    {"origin": "http://127.0.0.1"},
    {"origin": "ftp://127.0.0.1:8080"},
    {"origin": "http://[127.0.0.1:8080"},
    {"origin": ""},
    {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site"},
]
"""What browsers send for pages of other origins, to a server on port 8080 of 127.0.0.1."""


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_origin_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    """No page that somebody visits can start games here, or move in them: such requests need no permission to be sent."""
    client.post("/game/new", json={"first": "player"})
    before = client.get("/game/state").json()
    for call in ("/game/new", "/move", "/game/undo", "/game/settings"):
        body = b'{"first": "bot", "position": 4, "simulations": 800}'
        refused = sentence(client.post(call, content=body, headers={"content-type": "text/plain", **headers}), 403)
        assert "start this one alone with cartridge web --allow-origin" in refused
    sentence(client.get("/game/state", headers=headers), 403)
    assert client.head("/game/state", headers=headers).status_code == 403
    assert client.get("/game/state").json() == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"},
        {"origin": "https://board.example.org", "host": "board.example.org"},
        {"origin": "https://board.example.org", "host": "board.example.org:443"},
        {"origin": "http://board.example.org", "host": "Board.example.org:80"},
        {"origin": "http://[::1]:8080", "host": "[::1]:8080"},
        {"origin": "https://board.example.org", "host": "127.0.0.1:8080", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_our_page_and_programs_can_play(tmp_path: Path, headers: dict[str, str]) -> None:
    """The page also behind a proxy with TLS, and behind one that changes the host if the browser says where it came from."""
    with client_of(tmp_path, host="0.0.0.0") as client:
        assert client.get("/game/state", headers=headers).status_code == 200
        assert client.post("/move", json={"position": 4}, headers=headers).json()["ply"] == 2


def test_a_page_of_an_allowed_origin_can_play(tmp_path: Path) -> None:
    """As the contract's page does, which another server serves. Pages of further origins still can't."""
    with client_of(tmp_path, allow_origin=["http://localhost:5173"]) as client:
        for site in ("same-site", "cross-site"):
            allowed = {"origin": "http://localhost:5173", "sec-fetch-site": site}
            assert client.get("/game/state", headers=allowed).status_code == 200
            assert client.post("/game/new", json={"first": "player"}, headers=allowed).status_code == 200
            assert client.post("/move", json={"position": 4}, headers=allowed).json()["ply"] == 2
        asked = {"origin": "http://localhost:5173", "access-control-request-method": "POST"}
        assert client.options("/move", headers=asked).status_code == 200
        refused = sentence(client.post("/game/undo", headers={"origin": "http://localhost:5174"}), 403)
        assert refused.endswith("--allow-origin http://localhost:5174.")


def test_a_request_to_another_host_name_is_refused(client: TestClient) -> None:
    """So a page on another site whose name is pointed to this machine gets nothing."""
    sentence(client.get("/stats", headers={"host": "evil.example:8080"}), 421)
    assert client.get("/stats", headers={"host": "localhost:8080"}).status_code == 200


def test_a_refused_host_name_comes_with_the_flag_that_allows_it(client: TestClient) -> None:
    """Not with --host, which would open the server to other machines. A name that can't be one is not repeated."""
    refused = sentence(client.get("/", headers={"host": "Board.example.org:8443"}), 421)
    assert "start cartridge web with --allow-host board.example.org, too" in refused
    for strange in ("<b>", "a" * 300, "", "a b"):
        assert "--allow-host NAME, too" in sentence(client.get("/", headers={"host": strange}), 421)


def test_an_allowed_host_name_is_answered(tmp_path: Path) -> None:
    """Such as that of a proxy; in any case of letters, with any port, and beside the names of this machine."""
    WebConfig(allow_host=("Board.example.org", "other")).check()
    with client_of(tmp_path, allow_host=("Board.example.org", "other")) as client:
        for name in (
            "board.example.org",
            "BOARD.example.org:8443",
            "other",
            "127.0.0.1:8080",
            "localhost",
            "[::1]:8080",
        ):
            assert client.get("/health", headers={"host": name}).status_code == 200
        sentence(client.get("/health", headers={"host": "example.org"}), 421)


def test_a_server_for_other_machines_checks_host_names_if_it_is_given_some(tmp_path: Path) -> None:
    """It is reached by its IP addresses, too, which no other site can point to it. One on loopback alone is not."""
    allowed = ("board.example.org", "localhost:8080", "192.0.2.1:8080", "[2001:db8::1]:8080", "[fe80::1%eth0]")
    for host, names, addresses in (
        ("0.0.0.0", ("Board.example.org",), 200),
        ("127.0.0.1", ("board.example.org",), 421),
    ):
        with client_of(tmp_path, host=host, allow_host=names) as client:
            for name in allowed:
                expected = 200 if name in allowed[:2] else addresses
                assert client.get("/health", headers={"host": name}).status_code == expected, name
            for name in ("evil.example", "192.0.2.1.evil.example", "1", ""):
                sentence(client.get("/health", headers={"host": name}), 421)
    with client_of(tmp_path, host="0.0.0.0") as client:
        assert client.get("/health", headers={"host": "any.example"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1", {"127.0.0.1", "localhost", "::1"}),
        ("LOCALHOST", {"127.0.0.1", "localhost", "::1"}),
        ("::1", {"127.0.0.1", "localhost", "::1"}),
        ("127.0.0.2", {"127.0.0.1", "127.0.0.2", "localhost", "::1"}),
        ("0.0.0.0", None),
        ("::", None),
        ("192.0.2.1", None),
    ],
)
def test_without_names_only_a_server_on_loopback_checks_them(host: str, known: set[str] | None) -> None:
    """On every address of loopback, not only on the usual ones."""
    assert WebConfig(host=host).known_hosts == known


def test_a_proxy_passes_live_events_on_at_once(tmp_path: Path) -> None:
    """The stream asks for it: nginx doesn't buffer it, and nobody stores or compresses it."""
    stop = Event()
    stop.set()  # or the stream never ends
    with client_of(tmp_path, stop=stop) as client:
        headers = client.get("/events").headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["x-accel-buffering"] == "no"
        assert headers["cache-control"] == "no-cache, no-transform"
        assert client.get("/stats").headers["cache-control"] == "no-store"


def test_the_page_works_below_any_path(client: TestClient) -> None:
    """No address in the page starts with a slash, so that a proxy can put a path in front."""
    page = client.get("/").text
    assert re.findall(r'(?:href|src|action)="/', page) == []
    scripts = [path for path in STATIC.rglob("*.js") if path.parent.name != "vendor"]
    assert len(scripts) > 10
    absolute = re.compile(r"""(?:fetch|get|post|call|EventSource|import|from|assign|href\s*=)\s*\(?\s*[`"']/""")
    assert [path.name for path in scripts if absolute.search(path.read_text())] == []
    assert [path.name for path in STATIC.rglob("*.css") if re.search(r"url\(\s*['\"]?/", path.read_text())] == []


def test_a_bug_gives_a_sentence_without_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The details are in the log, once. A page of an allowed origin can read the sentence, too."""
    monkeypatch.setattr("trainer.web.api.statistics.stats_of", lambda run: 1 / 0)
    with client_of(tmp_path, allow_origin=["http://localhost:5173"]) as client:
        response = client.get("/stats", headers={"origin": "http://localhost:5173"})
        assert sentence(response, 500) == "Something went wrong in the server; its log has the details."
        assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
    (logged,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert logged.getMessage() == "GET /stats failed"
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], ZeroDivisionError)


def test_a_bug_in_the_middle_of_an_answer_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another answer can't begin then, so the error goes on to the server, which closes the connection."""
    monkeypatch.setattr("trainer.web.api.live.stats_of", lambda run: 1 / 0)
    with client_of(tmp_path) as client, pytest.raises(ZeroDivisionError):
        client.get("/events")


def test_an_invalid_setting_is_an_error() -> None:
    """The message names the flag."""
    for wrong, flag in (
        ({"port": 70000}, "--port"),
        ({"max_sessions": 0}, "--max-sessions"),
        ({"session_minutes": 0.0}, "--session-minutes"),
        ({"host": ""}, "--host is empty"),
        ({"host": " "}, "--host is empty"),
        ({"allow_host": ("",)}, "--allow-host"),
        ({"allow_host": ("https://board.example.org",)}, "--allow-host"),
        ({"allow_host": ("board.example.org:8443",)}, "--allow-host"),
        ({"allow_host": ("*",)}, "--allow-host"),
        ({"allow_origin": ("*",)}, "--allow-origin"),
        ({"allow_origin": ("http://a.example/path",)}, "--allow-origin"),
        ({"allow_origin": ("http://[::1",)}, "--allow-origin"),
    ):
        with pytest.raises(ConfigError, match=flag):
            WebConfig(**wrong).check()  # type: ignore[arg-type]


def test_a_port_in_use_is_an_error() -> None:
    """The message says to choose another with --port."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_that_is_not_of_this_machine_is_an_error() -> None:
    """The message gives the reason in words, also if the address can't be read as one."""
    for host in ("192.0.2.1", "[::1]"):
        with pytest.raises(ConfigError, match=r"^can't listen on \S+ port 0 \([A-Z][a-z]+ (?!error)") as found:
            listen(host, 0)
        assert str(found.value).endswith("; choose another with --host or --port")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6 beside IPv4")
@pytest.mark.parametrize("reached", ["::1", "127.0.0.1"])
def test_every_ipv6_address_includes_every_ipv4_address(reached: str) -> None:
    """`--host ::` means every address of the machine, whatever the system's default is."""
    with listen("::", 0) as listener, socket.create_connection((reached, listener.getsockname()[1]), 10):
        assert listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0


def test_the_address_for_people() -> None:
    """An IPv6 address stands in brackets."""
    assert url_of("127.0.0.1", 8080) == "http://127.0.0.1:8080/"
    assert url_of("::1", 8080) == "http://[::1]:8080/"


def test_the_page_offers_as_many_simulations_as_the_server_makes() -> None:
    """The largest number of its slider is the largest one that a request may ask for."""
    script = (STATIC / "parts" / "game_form.js").read_text()
    (offered,) = re.findall(r"STRENGTHS = \[([\d, ]+)\]", script)
    assert max(map(int, offered.split(","))) == MAX_SIMULATIONS
