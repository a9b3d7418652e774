"""The page in surroundings that it doesn't choose: blocked storage and cookies, a proxy, other tabs, a small screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, Server, begin, board, chromium_path, click, lasting_port, serving, settled, window
from playwright.sync_api import expect
from proxy import proxy_of
from run_files import put_stats, store_games
from waiting import PATIENCE

from trainer.games import find_game

BOARDS = Path(__file__).parents[1] / "support" / "boards"
STORAGE_BLOCKED = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("access denied", "SecurityError"); } });
"""
STORAGE_FULL = """
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
"""
NOTED_LABELS = """
window.labels = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const wide = this.measureText(text).width;
  const left = x - wide * { left: 0, start: 0, center: 0.5, right: 1, end: 1 }[this.textAlign];
  window.labels.push({ text, left: Math.round(left), over: Math.round(left + wide - this.canvas.width) });
  return fillText.call(this, text, x, y);
};
"""
"""Makes `labels` the texts drawn on canvases: pixels left of them, and pixels by which they are over the right edge."""


def watch(page: Any) -> None:
    """Go to Watch, and wait for the statistics of a run."""
    page.get_by_role("link", name="Watch").click()
    page.locator("#run").select_option("tictactoe")
    expect(page.locator(".chart").first).to_have_attribute("data-points", "30")


def look_inside(page: Any) -> None:
    """Go to Look inside, and wait for the games of a run, which is still the one chosen in Watch."""
    page.get_by_role("link", name="Look inside").click()
    expect(page.locator("#run")).to_have_value("tictactoe")
    expect(page.locator(".game")).to_have_count(2)
    page.locator(".stage .board").wait_for()


@pytest.mark.parametrize("script", [STORAGE_BLOCKED, STORAGE_FULL], ids=["blocked", "full"])
def test_every_view_works_without_storage(browser: Any, full: Server, script: str) -> None:
    """Choices are kept while the page is open: the theme, and the settings of Play from view to view."""
    with window(browser, full.url, script=script) as found:
        page = found.page
        begin(page, "connect4")
        click(page, 3)
        page.locator(".move.p2").wait_for()
        page.get_by_role("button", name="Model analysis").click()
        page.locator(".analysis tbody tr").first.wait_for()
        page.get_by_role("button", name="Switch between light and dark").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        watch(page)
        look_inside(page)
        page.get_by_role("link", name="Play").click()
        page.locator(board("connect4") + " .stone").first.wait_for()
        page.locator(".analysis tbody tr").first.wait_for()


def test_a_browser_that_blocks_cookies_is_told_so(browser: Any, full: Server, tmp_path: Path) -> None:
    """In Play, at once and at every click. Such a browser blocks storage too; the other views show everything."""
    (tmp_path / "Default").mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(blocked))
    context = browser.browser_type.launch_persistent_context(tmp_path, executable_path=chromium_path(), args=FLAGS)
    try:
        context.set_default_timeout(1000 * PATIENCE)
        page = context.pages[0]
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(full.url)
        note = page.locator(".note", has_text="allow cookies for this address")
        note.wait_for()
        assert context.cookies() == []
        page.locator("input[value=tictactoe]").check()
        page.locator(board("tictactoe")).wait_for()
        click(page, 4)
        page.locator(".stone[data-cell='4']").wait_for(state="detached")
        settled(page)
        note.wait_for()
        watch(page)
        look_inside(page)
        assert errors == []
    finally:
        context.close()


def test_the_page_works_behind_a_proxy_that_gives_it_a_path(browser: Any, full: Server) -> None:
    """The proxy has nothing outside the path. Files, calls, the live stream and the cookie go through it."""
    with proxy_of(full.port) as address, window(browser, address) as found:
        page = found.page
        begin(page, "tictactoe")
        click(page, 4)
        page.locator(".move.p2").wait_for()
        page.reload()
        page.locator(".stone[data-cell='4'].p1").wait_for()
        watch(page)
        look_inside(page)
        page.get_by_role("button", name="Next position").click()
        page.get_by_text("teaches only its value").wait_for()


def test_a_proxy_that_answers_for_a_server_that_is_down(browser: Any, tmp_path: Path) -> None:
    """That is an outage, as without the proxy: its page of HTML isn't shown, and Play goes on by itself."""
    server = Server(tmp_path, port=lasting_port())
    try:
        with proxy_of(server.port) as address, window(browser, address) as found:
            page = found.page
            begin(page, "tictactoe")
            server.kill()
            click(page, 4)
            page.locator("#outage", has_text="The server does not answer").wait_for()
            expect(page.locator(".note")).not_to_contain_text("<")
            server.start()
            page.get_by_text("a new one began").wait_for()
            page.locator("#outage").wait_for(state="hidden")
            found.complaints = [text for text in found.complaints if "502" not in text]
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("status", [200, 401])
def test_a_proxy_that_answers_with_a_page_of_its_own(browser: Any, full: Server, status: int) -> None:
    """The page says what to do. It shows no HTML, and doesn't take that answer for one of the server."""

    def login(route: Any) -> None:
        route.fulfill(status=status, content_type="text/html", body="<html><body>Please log in</body></html>")

    told = "A proxy answers in place of the server; reload this page, and log in if it asks."
    with window(browser, full.url) as found:
        page = found.page
        begin(page, "tictactoe")
        page.route("**/move", login)
        click(page, 4)
        page.locator(".note", has_text=told).wait_for()
        assert page.locator("#outage").is_hidden()
        page.route("**/events?*", login)
        page.get_by_role("link", name="Watch").click()
        page.locator(".note", has_text=told).wait_for()
        page.get_by_role("link", name="Play").click()
        page.locator(board("tictactoe")).wait_for()
        settled(page)
        page.route("**/health", login)
        page.route("**/move", lambda route: route.abort(), times=1)
        click(page, 4)
        page.locator("#outage").wait_for()
        for _ in range(2):
            page.wait_for_event("requestfinished", lambda request: request.url.endswith("/health"))
        assert page.locator("#outage").is_visible()
        page.unroute("**/health")
        page.locator("#outage").wait_for(state="hidden")
        settled(page)
        about = ("ERR_FAILED", "401", "MIME type")
        found.complaints = [text for text in found.complaints if not any(part in text for part in about)]


def test_a_click_in_a_tab_whose_game_was_replaced_is_not_played(browser: Any, empty: Server) -> None:
    """The tab says so and shows the game as it is now; the click after that counts."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "tictactoe")
        other = page.context.new_page()
        other.goto(empty.url)
        begin(other, "connect4")
        click(page, 4)
        page.locator(".note", has_text="Another game has replaced this one").wait_for()
        page.locator(board("connect4")).wait_for()
        expect(page.locator(".move")).to_have_count(0)
        assert page.locator("input[value=connect4]").is_checked()
        assert page.request.get(f"{empty.url}game/state").json()["moves"] == []
        click(page, 3)
        page.locator(".move.p2").wait_for()
        found.complaints = [
            text for text in found.complaints if "412" not in text
        ]  # the console lists refused requests


def test_a_click_in_a_tab_whose_game_has_gone_on_is_not_played(browser: Any, empty: Server) -> None:
    """The other tab plays on, and this one still shows the first position. Undo is refused alike."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        click(page, 3)
        page.locator(".move.p2").wait_for()
        settled(page)
        other = page.context.new_page()
        other.goto(empty.url)
        other.locator(".move.p2").wait_for()
        for tab, stale in ((page, other), (other, page)):
            played = 2 * tab.locator(".move.p2").count() + 2
            click(tab, 4)
            expect(tab.locator(".move")).to_have_count(played)
            settled(tab)
            if stale is other:
                click(stale, 5)
            else:
                stale.get_by_role("button", name="Undo").click()
            stale.locator(".note", has_text="This game has gone on meanwhile").wait_for()
            expect(stale.locator(".move")).to_have_count(played)
            settled(stale)
        assert page.request.get(f"{empty.url}game/state").json()["moves"] == [3, 0, 4, 0, 4, 0]
        found.complaints = [text for text in found.complaints if "412" not in text]


def test_a_second_tab_shares_the_game_from_its_first_move_on(browser: Any, empty: Server) -> None:
    """Opening it replaces nothing, not even a game without a move, so a click in the first tab is played."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        other = page.context.new_page()
        other.goto(empty.url)
        other.locator(board("connect4")).wait_for()
        settled(other)
        click(page, 3)
        page.locator(".move.p2").wait_for()
        other.reload()
        other.locator(".move.p2").wait_for()


def test_every_view_fits_a_small_phone(browser: Any, full: Server) -> None:
    """At 320 pixels nothing is wider than the window, and nothing sticks out of its card."""
    outside = "[...document.querySelectorAll('.card')].filter(card => card.scrollWidth > card.clientWidth).length"
    with window(browser, full.url, 320, 568) as found:
        page = found.page

        def check(name: str) -> None:
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            assert page.evaluate(outside) == 0, name

        page.locator(".status", has_text="Your turn").wait_for()
        page.get_by_role("button", name="Model analysis").click()
        for env_id in ("tictactoe", "othello", "connect4"):
            page.locator(f"input[value={env_id}]").check()
            page.locator(board(env_id) + " .mark").first.wait_for()
            check(env_id)
        watch(page)
        page.locator("#run").evaluate(
            "list => list.add(new Option('a-run-whose-folder-has-quite-a-long-name'.repeat(2)))"
        )
        check("watch")
        look_inside(page)
        page.locator("#run").select_option("connect4")
        page.locator(".stage " + board("connect4")).wait_for()
        check("inside")


def test_a_long_stored_game_fits_a_small_phone(browser: Any, tmp_path: Path) -> None:
    """Its 400 bars are then thinner than a pixel."""
    rules = BOARDS / "long.py"
    store_games(tmp_path, find_game(str(rules)).game.env_id, [[0] * 400])
    with serving(tmp_path, [rules]) as server, window(browser, server.url, 320, 568) as found:
        page = found.page
        page.get_by_role("link", name="Look inside").click()
        expect(page.locator(".strip button")).to_have_count(400)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.locator(".strip").evaluate("strip => strip.scrollWidth - strip.clientWidth") <= 0


def test_no_label_of_a_chart_is_cut_off(browser: Any, tmp_path: Path) -> None:
    """Neither on a phone nor on a desktop, however many digits the steps have, also after a change of the theme."""
    runs = {"k": 1000, "four-digits": 9_000, "tens-of-k": 123_400, "millions": 1_234_500_000}
    for name, steps in runs.items():
        loss = {"total_loss": 1.5, "policy_loss": 1.0, "value_loss": 0.5, "learning_rate": 0.001}
        history = [{"step": step, **loss} for step in (steps // 10, steps // 2, steps)]
        put_stats(tmp_path / name, "tictactoe", 10, step=steps, history=history)
    with serving(tmp_path) as server:
        for width in (320, 1440):
            with window(browser, server.url, width, script=NOTED_LABELS) as found:
                page = found.page
                page.get_by_role("link", name="Watch").click()
                for name, steps in runs.items():
                    page.locator("#run").select_option(name)
                    shown = f"{steps // 10} to {steps}"
                    expect(page.locator(".chart").first).to_have_attribute("data-shown", shown)
                    page.get_by_role("button", name="Switch between light and dark").click()
                labels = page.evaluate("labels")
                assert len(labels) > 40
                assert [label for label in labels if label["left"] < 0 or label["over"] > 0] == []


def test_the_labels_of_an_axis_differ(browser: Any, tmp_path: Path) -> None:
    """However close together they are, as after a zoom: steps from 12,000 to 12,300, and losses below 0.02."""
    loss = {"total_loss": 0.018, "policy_loss": 0.01, "value_loss": 0.008, "learning_rate": 0.001}
    history = [{"step": step, **loss} for step in range(12_000, 12_301, 10)]
    put_stats(tmp_path, "tictactoe", 10, step=12_300, history=history)
    with serving(tmp_path) as server, window(browser, server.url, script=NOTED_LABELS) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        expect(page.locator(".chart").first).to_have_attribute("data-shown", "12000 to 12300")
        texts = page.evaluate("labels.map((label) => label.text)")
        charts = sum(text == "12k" for text in texts)
        assert charts >= 2
        assert [text for text in texts if text in ("12.1k", "12.2k")] == ["12.1k", "12.2k"] * charts
        assert {"0.005", "0.01", "0.015"} <= set(texts)
