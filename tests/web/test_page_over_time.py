"""The page in a real browser while things change: runs that are gone, streams that break, lists that are renewed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from browser import QUICK, Server, begin, serving, settled, window
from playwright.sync_api import expect
from run_files import EVALUATIONS, put_model, put_stats, store_games
from waiting import PATIENCE

NOTED_STREAMS = """
window.streams = [];
window.EventSource = class extends EventSource {
  constructor(address) {
    super(address);
    streams.push(this);
  }
};
new MutationObserver(() => {
  if (document.getElementById("outage")?.hidden === false) window.wasDown = true;
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["hidden"] });
"""
"""Makes `streams` the page's streams of events, and sets `wasDown` once the page has said that the server is gone."""
NOTED_STATUSES = """() => {
  window.changed = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.matches("[role=status], output")) changed.push(target.textContent);
  }).observe(document.querySelector(".stage"), { subtree: true, childList: true });
}"""
"""Makes `changed` the texts of Play that a screen reader reads out from now on."""
REFUSAL = "The database is busy."
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""After this the browser has taken the focus from elements that can't have it any more."""
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def refused_once(page: Any, address: str) -> None:
    """Have the next request to an address refused with REFUSAL, as the server refuses one."""
    page.route(address, lambda route: route.fulfill(status=422, content_type="text/plain", body=REFUSAL), times=1)


def test_a_watched_run_that_is_renamed(browser: Any, tmp_path: Path) -> None:
    """The page doesn't say that there are no runs; it follows the newest one."""
    put_stats(tmp_path / "watched", "tictactoe", 50)
    put_stats(tmp_path / "other", "tictactoe", 80)
    with serving(tmp_path) as server, window(browser, server.url, script=QUICK) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        chart = page.locator(".chart").first
        page.locator("#run").select_option("watched")
        expect(chart).to_have_attribute("data-points", "5")
        (tmp_path / "watched").rename(tmp_path / "renamed")
        page.locator(".note", has_text="There is no run of that name.").wait_for()
        expect(page.locator("#run")).to_have_value("other", timeout=1000 * PATIENCE)
        expect(chart).to_have_attribute("data-points", "8")
        expect(page.locator(".note")).not_to_contain_text("There is no run")
        assert page.locator("#run option").all_inner_texts() == ["other", "renamed"]
        found.complaints = [text for text in found.complaints if "404" not in text]  # a refused request


def test_a_stream_that_breaks_is_no_outage(browser: Any, tmp_path: Path) -> None:
    """The server answers, so the page just opens the stream again."""
    put_stats(tmp_path / "tictactoe", "tictactoe", 50)
    with serving(tmp_path) as server, window(browser, server.url, script=NOTED_STREAMS) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        chart = page.locator(".chart").first
        expect(chart).to_have_attribute("data-points", "5")
        page.evaluate("streams.at(-1).dispatchEvent(new Event('error'))")
        put_stats(tmp_path / "tictactoe", "tictactoe", 80)
        expect(chart).to_have_attribute("data-points", "8")
        assert page.evaluate("streams.map((stream) => stream.readyState)") == [2, 1]  # closed, open
        assert page.evaluate("window.wasDown") is None


def test_the_list_of_opponents_changes_only_with_the_opponents(browser: Any, tmp_path: Path) -> None:
    """An event that brings none leaves it alone, so that an open list stays open. The choice stays in any case."""
    evaluations = [one | {"opponent": name} for one in EVALUATIONS for name in ("random", "minimax")]
    put_stats(tmp_path, "tictactoe", 50, eval_history=evaluations)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        chart, opponents = page.locator(".chart").first, page.locator("#opponent")
        expect(chart).to_have_attribute("data-points", "5")
        opponents.select_option("minimax")
        opponents.evaluate("list => { list.options[0].seen = true; }")
        put_stats(tmp_path, "tictactoe", 80, eval_history=evaluations)
        expect(chart).to_have_attribute("data-points", "8")
        assert opponents.evaluate("list => list.options[0].seen")
        evaluations.append(EVALUATIONS[-1] | {"opponent": "rollouts"})
        put_stats(tmp_path, "tictactoe", 90, eval_history=evaluations)
        expect(opponents.locator("option")).to_have_text(["random", "minimax", "rollouts"])
        expect(opponents).to_have_value("minimax")


def test_a_run_whose_rules_are_not_known_says_what_to_do(browser: Any, tmp_path: Path) -> None:
    """It has a model, which the page can't use."""
    put_stats(tmp_path / "run", "test-nowhere", 50)
    put_model(tmp_path / "run", "tictactoe", step=50)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        told = "The rules of test-nowhere are not known here; start the page with --games FILE."
        page.locator(".note", has_text=told).wait_for()
        expect(page.locator(".tile", has_text="Newest model")).to_have_text(re.compile("not usable.* ago"))


def test_the_stored_game_that_is_shown_stays_marked(browser: Any, tmp_path: Path) -> None:
    """In the list, when that is made anew."""
    store_games(tmp_path, "tictactoe", [[0, 3, 1, 4, 2]] * 4)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Look inside").click()
        games = page.locator(".game")
        games.nth(2).click()
        expect(games.nth(2)).to_have_attribute("aria-current", "true")
        games.first.evaluate("game => game.setAttribute('data-seen', '')")
        page.get_by_role("button", name="Newest").click()
        page.locator(".game[data-seen]").wait_for(state="detached")
        expect(games).to_have_count(4)
        marks = [games.nth(at).get_attribute("aria-current") for at in range(4)]
        assert marks == ["false", "false", "true", "false"]


def test_ages_of_stored_games_are_told_by_the_clock_of_the_server(browser: Any, tmp_path: Path) -> None:
    """Here the browser's is an hour fast. They grow while the page is open."""
    store_games(tmp_path, "tictactoe", [[0, 3, 1, 4, 2]])
    fast = "const real = Date.now; Date.now = () => real() + 3600e3;"
    with serving(tmp_path) as server, window(browser, server.url, script=fast) as found:
        found.page.get_by_role("link", name="Look inside").click()
        age = found.page.locator(".game .age")
        expect(age).to_have_text(re.compile(r"^\d+ (s|min) ago$"))
        expect(age).not_to_have_text(age.inner_text())


def test_a_button_keeps_the_focus_when_it_has_nothing_to_do(browser: Any, tmp_path: Path) -> None:
    """Whoever plays by keyboard would otherwise begin again at the top of the page."""
    store_games(tmp_path, "tictactoe", [[0, 3, 1, 4, 2]] * 60)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Look inside").click()
        page.locator(".stage .board").wait_for()
        last = page.get_by_role("button", name="Last position")
        last.press("Enter")
        expect(last).to_have_attribute("aria-disabled", "true")
        page.evaluate(TWO_FRAMES)
        assert page.evaluate(FOCUSED) == "Last position"
        page.keyboard.press("Enter")
        expect(page.locator(".move")).to_have_count(5)
        older = page.get_by_role("button", name="Older games")
        held: list[Any] = []
        page.route("**/replay/games?**", lambda route: held.append(route))
        with page.expect_request("**/replay/games?**"):
            older.press("Enter")
        page.evaluate(TWO_FRAMES)
        held[0].continue_()
        expect(page.locator(".game")).to_have_count(48)
        assert page.evaluate(FOCUSED) == "Older games"
        page.get_by_role("link", name="Play").click()
        begin(page, "tictactoe")
        page.locator(".target.open").first.click()
        page.locator(".move.p2").wait_for()
        settled(page)
        page.get_by_role("button", name="Undo").press("Enter")
        expect(page.locator(".move")).to_have_count(0)
        page.evaluate(TWO_FRAMES)
        assert page.evaluate(FOCUSED) == "UndoU"


def test_older_games_can_be_asked_for_again_after_a_refusal(browser: Any, tmp_path: Path) -> None:
    """Such as while the database is busy. The page says what the server says."""
    store_games(tmp_path, "tictactoe", [[0, 3, 1, 4, 2]] * 60)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Look inside").click()
        expect(page.locator(".game")).to_have_count(24)
        refused_once(page, "**/replay/games?**")
        older = page.get_by_role("button", name="Older games")
        older.click()
        page.get_by_text(REFUSAL).wait_for()
        expect(older).to_have_attribute("aria-disabled", "false")
        older.click()
        expect(page.locator(".game")).to_have_count(48)
        expect(page.get_by_text(REFUSAL)).to_have_count(0)
        found.complaints = [text for text in found.complaints if "422" not in text]


def test_buttons_about_a_game_wait_until_there_is_one(browser: Any, empty: Server) -> None:
    """The server refuses the first request, so the page has no game yet; New game begins one."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "tictactoe")
        refused_once(page, "**/game/state?**")
        page.reload()
        page.locator(".note", has_text=REFUSAL).wait_for()
        for name in ("Undo", "Hint", "Model analysis"):
            button = page.get_by_role("button", name=name)
            expect(button).to_have_attribute("aria-disabled", "true")
            button.click(force=True)
            settled(page)
        page.get_by_role("button", name="New game").click()
        page.get_by_text("Your turn").wait_for()
        settled(page)
        expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
        for name in ("Hint", "Model analysis"):
            expect(page.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "false")
        expect(page.get_by_role("button", name="Model analysis")).to_have_attribute("aria-pressed", "false")
        found.complaints = [text for text in found.complaints if "422" not in text]


def test_a_run_that_can_not_be_compared_with_says_why(browser: Any, tmp_path: Path) -> None:
    """It has no statistics yet, or the server refuses them."""
    for name in ("ours", "theirs"):
        put_stats(tmp_path / name, "tictactoe", 50)
    put_model(tmp_path / "bare", "tictactoe", step=50)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        page.locator("#run").select_option("ours")
        other = page.locator("#other")
        expect(other.locator("option")).to_have_count(3)
        said = page.locator(".topline .inline .quiet")
        expect(said).to_be_hidden()
        other.select_option("bare")
        expect(said).to_contain_text("stats.json")
        refused_once(page, "**/stats?run=theirs")
        other.select_option("theirs")
        expect(said).to_have_text(REFUSAL)
        other.select_option("nothing")
        expect(said).to_be_hidden()
        found.complaints = [text for text in found.complaints if "422" not in text]


def test_a_status_that_stays_the_same_is_not_read_out_again(browser: Any, full: Server) -> None:
    """Nor the model's value, nor which model plays."""
    with window(browser, full.url) as found:
        page = found.page
        begin(page, "tictactoe")
        expect(page.locator(".note")).to_have_text("The model is from training step 100.")
        page.evaluate(NOTED_STATUSES)
        with page.expect_response("**/game/settings"):
            page.locator("#strength").press("ArrowRight")
        settled(page)
        assert page.evaluate("changed") == []
