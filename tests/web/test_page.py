"""The page in a real browser: whole games, a run that is training, a server that dies, every view in both themes."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import QUICK, Server, begin, board, click, lasting_port, serving, settled, window
from playwright.sync_api import expect
from run_files import EVALUATIONS, put_stats
from waiting import PATIENCE

from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.kernels import link_kernels
from trainer.games.position import Position
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import CLUSTER, write_actors

SIZES = {"phone": (360, 740), "desktop": (1440, 900)}


@cache
def script(env_id: str, winner: int) -> tuple[int, ...]:
    """Moves of the first player that lead to a result against a second player who plays the first legal move."""
    rules = link_kernels(env_id).rules
    seen: set[bytes] = set()

    def search(position: Position) -> tuple[int, ...] | None:
        while position.winner == OPEN and position.mover == SECOND:
            position = position.play(position.legal[0])
        if position.winner != OPEN:
            return () if position.winner == winner else None
        if position.to_bytes() in seen:
            return None
        seen.add(position.to_bytes())
        for action in reversed(position.legal):
            found = search(position.play(action))
            if found is not None:
                return (action, *found)
        return None

    found = search(Position.first(rules))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("winner", "words"),
    [(FIRST, "You win."), (SECOND, "The model wins."), (DRAW, "A draw.")],
    ids=["win", "loss", "draw"],
)
@pytest.mark.parametrize("env_id", ["tictactoe", "connect4", "othello"])
def test_a_whole_game_by_clicks(browser: Any, empty: Server, env_id: str, winner: int, words: str) -> None:
    """From the choice of the game to its result. Every stone is on the board, and one can step through the moves."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, env_id)
        moves = script(env_id, winner)
        for number, action in enumerate(moves):
            click(page, action)
            if number + 1 < len(moves):
                page.locator(".move.p1").nth(number).wait_for()
                settled(page)
        page.locator(".status", has_text=words).wait_for()
        assert page.locator(".target.open").count() == 0
        assert page.locator(".move.p1").count() == len(moves)
        plies = page.locator(".move").count()
        page.get_by_role("button", name="First position").click()
        assert page.locator(".stone").count() == (4 if env_id == "othello" else 0)
        page.keyboard.press("ArrowRight")
        assert "after 1 of" in page.locator(".status").inner_text()
        page.get_by_role("button", name="Last position").click()
        assert page.locator(".status").inner_text() == words
        if env_id != "othello":
            assert page.locator(".stone").count() == plies
        if winner != DRAW and env_id == "connect4":
            assert page.locator(".stone.won").count() == 4


def test_a_draw_against_full_search(browser: Any, full: Server) -> None:
    """Whoever follows the hints draws tic-tac-toe against 800 simulations."""
    with window(browser, full.url) as found:
        page = found.page
        page.locator("input[value=tictactoe]").check()
        page.locator("#strength").press("End")
        page.get_by_text("800 simulations").wait_for()
        page.get_by_role("button", name="New game").click()
        for number in range(5):
            page.locator(".target.open").first.wait_for()
            page.keyboard.press("h")
            page.get_by_text("Hint:").wait_for()
            cell = page.locator(".note").inner_text().removeprefix("Hint: ").removesuffix(".")
            page.locator(f".target[aria-label^='{cell},']").click()
            page.locator(".move.p1").nth(number).wait_for()
        page.locator(".status", has_text="A draw.").wait_for()


def test_play_by_keyboard_alone(browser: Any, empty: Server) -> None:
    """Arrows and Enter on the board, digits for columns, letters for the buttons."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "tictactoe")
        page.locator(".target[tabindex='0']").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.locator(".stone[data-cell='4'].p1").wait_for()
        page.locator(".move.p2").wait_for()
        page.keyboard.press("u")
        page.get_by_text("No moves yet.").wait_for()
        page.keyboard.press("m")
        page.locator(".mark").first.wait_for()
        assert page.locator(".analysis tbody tr").count() == 8
        page.keyboard.press("m")
        page.locator(".analysis").wait_for(state="hidden")
        page.locator("input[value=connect4]").check()
        page.locator(board("connect4")).wait_for()
        settled(page)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("4")
        page.locator(".stone[data-cell='3'].p1").wait_for()
        page.locator(".move.p2").wait_for()
        page.keyboard.press("n")
        page.get_by_text("No moves yet.").wait_for()


def test_letters_and_digits_can_be_turned_off(browser: Any, empty: Server) -> None:
    """For people whose computer types what they say. Arrows go on working, and the choice is remembered."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        page.keyboard.press("4")
        page.locator(".move.p2").wait_for()
        settled(page)
        page.get_by_label("Letter and digit keys").uncheck()
        for key in ("u", "n", "5", "ArrowLeft"):
            page.keyboard.press(key)
        page.locator(".move.p2[aria-current], .move.p1[aria-current]").first.wait_for()
        assert page.locator(".move").count() == 2
        page.reload()
        page.locator(".move.p2").wait_for()
        assert not page.get_by_label("Letter and digit keys").is_checked()
        page.get_by_label("Letter and digit keys").check()
        page.keyboard.press("u")
        page.get_by_text("No moves yet.").wait_for()


def test_keys_work_wherever_the_focus_is(browser: Any, empty: Server) -> None:
    """Also on a switch, and also in capitals. Arrows on a switch choose another game, and New game begins it."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        page.locator("input[value=connect4]").focus()
        page.keyboard.press("4")
        page.locator(".move.p2").wait_for()
        page.get_by_text("The model played 1.").wait_for(state="attached")
        assert page.locator(".target[data-target='3']").get_attribute("aria-label") == (
            "Column 4, from the bottom Red, playable"
        )
        settled(page)
        page.keyboard.press("ArrowLeft")
        page.locator(".note", has_text="Press New game to begin it.").wait_for()
        assert page.locator("input[value=tictactoe]").is_checked()
        assert page.locator(board("connect4") + " .stone").count() == 2
        first = page.locator(".move").first
        first.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-current')") == "step"
        page.keyboard.press("Shift+U")
        page.get_by_text("No moves yet.").wait_for()
        page.keyboard.press("Shift+N")
        page.locator(board("tictactoe")).wait_for()


def test_a_chart_keeps_the_part_that_was_zoomed_to(browser: Any, tmp_path: Path) -> None:
    """While new points arrive. A double click shows all points again, including later ones."""
    put_stats(tmp_path / "tictactoe", "tictactoe", 100)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        chart = page.locator(".chart").first
        expect(chart).to_have_attribute("data-shown", "10 to 100")
        box = chart.locator(".u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 3 * 2, box["y"] + 60, steps=5)
        page.mouse.up()
        expect(chart).to_have_attribute("data-shown", "40 to 70")
        put_stats(tmp_path / "tictactoe", "tictactoe", 200)
        expect(chart).to_have_attribute("data-points", "20")
        expect(chart).to_have_attribute("data-shown", "40 to 70")
        chart.locator(".u-over").dblclick()
        expect(chart).to_have_attribute("data-shown", "10 to 200")
        put_stats(tmp_path / "tictactoe", "tictactoe", 300)
        expect(chart).to_have_attribute("data-shown", "10 to 300")
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 60, steps=5)
        page.mouse.up()
        expect(chart).not_to_have_attribute("data-shown", "10 to 300")
        put_stats(tmp_path / "tictactoe", "tictactoe", 50)  # the run has started over
        expect(chart).to_have_attribute("data-shown", "10 to 50")


def test_a_chart_is_read_by_keyboard(browser: Any, tmp_path: Path) -> None:
    """Left and right go from step to step, of those shown and of this run; Escape shows all steps again."""
    for name, steps in (("ours", (10, 20, 30, 40)), ("theirs", (25, 50))):
        rows = [{"step": step, "total_loss": step / 100, "learning_rate": 0.001} for step in steps]
        put_stats(tmp_path / name, "tictactoe", steps[-1], history=rows)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        page.locator("#run").select_option("ours")
        page.locator("#other").select_option("theirs")
        chart = page.locator(".chart").first
        expect(chart).to_have_attribute("data-shown", "10 to 50")
        total = chart.locator(".legend li").first.locator(".last")
        plot = chart.locator(".plot")
        plot.focus()
        for key, shown in (
            ("ArrowLeft", "0.400 (step 40)"),
            ("ArrowLeft", "0.300 (step 30)"),
            ("ArrowLeft", "0.200 (step 20)"),
            ("ArrowRight", "0.300 (step 30)"),
            ("Escape", "0.400"),
            ("ArrowRight", "0.100 (step 10)"),
            ("ArrowLeft", "0.100 (step 10)"),
        ):
            page.keyboard.press(key)
            expect(total).to_have_text(shown)
        page.keyboard.press("Tab")
        expect(total).to_have_text("0.400")
        box = chart.locator(".u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50, steps=5)
        page.mouse.up()
        expect(chart).to_have_attribute("data-shown", "18 to 34")
        page.mouse.move(0, 0)
        expect(total).to_have_text("0.400")
        plot.focus()
        for key, shown in (("ArrowRight", "0.200 (step 20)"), ("ArrowRight", "0.300 (step 30)")):
            page.keyboard.press(key)
            expect(total).to_have_text(shown)
        page.keyboard.press("ArrowRight")
        expect(total).to_have_text("0.300 (step 30)")
        page.keyboard.press("Escape")
        expect(chart).to_have_attribute("data-shown", "10 to 50")


NUMBERS = """import('/static/base/format.js').then(({ ago, counted, digitsFor, rate, short, time }) => ({
    ages: [86_500, 200_000].map((seconds) => ago(time() - seconds)),
    counted: [0, 1, 2, 1234].map((number) => counted(number, "move")),
    digits: [0.0025, 0.1, 0.25, 1, 25, 1000].map(digitsFor),
    steps: [12_000, 12_250, 12_500].map((step) => short(step, 250)),
    millions: [999_500, 1_000_000, 1_000_500].map((step) => short(step, 500)),
    alone: [9_999, 12_345, 1_234_500].map((number) => short(number)),
    rates: [0, 0.04, 0.0456, 0.5, 2.54, 1234].map(rate),
}))"""


def test_numbers_as_text(browser: Any, empty: Server) -> None:
    """Those of an axis tell its steps apart, a slow rate isn't zero, and one of something has no plural."""
    with window(browser, empty.url) as found:
        assert found.page.evaluate(NUMBERS) == {
            "ages": ["1 day ago", "2 days ago"],
            "counted": ["0 moves", "1 move", "2 moves", "1,234 moves"],
            "digits": [4, 1, 2, 0, 0, 0],
            "steps": ["12k", "12.25k", "12.5k"],
            "millions": ["999.5k", "1M", "1.0005M"],
            "alone": ["9,999", "12.3k", "1.2M"],
            "rates": ["0.0", "0.04", "0.046", "0.5", "2.5", "1,234"],
        }


def test_a_chart_names_only_what_a_run_has(browser: Any, tmp_path: Path) -> None:
    """Older runs don't have the entropy of the policy targets."""
    for name, further in (("older", {}), ("newer", {"target_entropy": 0.7})):
        loss = {"total_loss": 1.5, "policy_loss": 1.0, "value_loss": 0.5, "learning_rate": 0.001, **further}
        put_stats(tmp_path / name, "tictactoe", 10, history=[{"step": step, **loss} for step in (5, 10)])
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        entropy = page.locator(".legend li", has_text="entropy of the policy targets")
        page.locator("#run").select_option("newer")
        expect(entropy).to_have_text("entropy of the policy targets0.700")
        page.locator("#run").select_option("older")
        expect(entropy).to_be_hidden()
        page.locator("#run").select_option("newer")
        expect(entropy).to_be_visible()


def test_evaluations_name_the_step_that_an_elo_is_against(browser: Any, tmp_path: Path) -> None:
    """In full, as all steps of the table."""
    evaluations = [one | {"elo_against": 12345} for one in EVALUATIONS]
    put_stats(tmp_path, "tictactoe", 200, eval_history=evaluations)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        table = page.get_by_role("region", name="Evaluations")
        expect(table.locator("thead th").last).to_have_text("Elo against step")
        expect(table.locator("tbody tr").first.locator("td").last).to_have_text("12,345")


def test_the_players_of_a_cluster_are_a_table(browser: Any, tmp_path: Path) -> None:
    """It appears when they play, with all that is known of each; the name of a machine is shown as it is."""
    folder = tmp_path / "tictactoe"
    put_stats(folder, "tictactoe", 100)
    stats = ActorStats("tictactoe", 7, episodes_per_second=2.5, positions_per_second=1234.0, host="<b>node 7</b>")
    later = int(time.time()) + 3600  # so that it isn't silent while the test runs
    player = asdict(stats) | {"space": CLUSTER, "timestamp": later, "back_pressure": 0.25}
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        expect(page.locator(".chart").first).to_have_attribute("data-points", "10")
        table = page.get_by_role("region", name="Players")
        expect(table).to_be_hidden()
        players = {"actor-1-2-bb": player | {"model_step": 1500}, "actor-1-1-aa": player}
        write_actors(folder / "actor_stats.json", "tictactoe", players, later)
        rows = table.locator("tbody tr")
        expect(rows).to_have_count(2)
        cells = ["actor-1-1-aa", "<b>node 7</b>", "2.5", "1,234", "none", "0 s ago", "25%"]
        expect(rows.first.locator("th, td")).to_have_text(cells)
        expect(rows.last.locator("td").nth(3)).to_have_text("1,500")


def test_a_hidden_tab_follows_no_run(browser: Any, tmp_path: Path) -> None:
    """Its connection would be one of the six that all tabs share. Shown again, it has what was learned meanwhile."""
    put_stats(tmp_path, "tictactoe", 50)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        chart = page.locator(".chart").first
        expect(chart).to_have_attribute("data-points", "5")
        page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})")
        for away, steps, points in ((True, 80, "5"), (False, 80, "8")):
            page.evaluate(
                "away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }", away
            )
            put_stats(tmp_path, "tictactoe", steps)
            if away:
                page.wait_for_timeout(1500)
            expect(chart).to_have_attribute("data-points", points)


def test_a_browser_whose_clock_is_wrong_shows_a_run_that_is_learning(browser: Any, tmp_path: Path) -> None:
    """Here it is an hour fast. What is new is told by the clock of the server."""
    later = int(time.time()) + 3000  # so that it stays new while the test runs
    put_stats(tmp_path / "tictactoe", "tictactoe", 100, timestamp=later)
    fast = "const real = Date.now; Date.now = () => real() + 3600e3;"
    with serving(tmp_path) as server, window(browser, server.url, script=fast) as found:
        found.page.get_by_role("link", name="Watch").click()
        found.page.get_by_text("Learning Tic-Tac-Toe").wait_for()
        found.page.get_by_text("Last update 0 s ago.").wait_for()


def test_a_page_that_watches_for_hours_keeps_few_evaluations(browser: Any, empty: Server) -> None:
    """The first, the newest ten, and some of those between them."""
    grow = """import('/static/base/history.js').then(({ thinned }) => {
        let kept = [];
        for (let step = 0; step < 1000; step++) kept = thinned([...kept, step]);
        return kept;
    })"""
    with window(browser, empty.url) as found:
        kept = found.page.evaluate(grow)
    assert (kept[0], kept[-10:]) == (0, list(range(990, 1000)))
    assert kept == sorted(kept)
    assert 50 < len(kept) <= 110


def test_the_pointer_shows_what_a_move_would_do(browser: Any, empty: Server) -> None:
    """Connect 4 shows where the disc falls, Othello which discs it flips."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        page.hover(".target[data-target='2']")
        assert page.locator(".ghost").get_attribute("data-cell") == "2"
        begin(page, "othello")
        assert page.locator(".may").count() == 4
        page.hover(".target[data-target='19']")
        assert page.locator(".turns").count() == 1


def test_play_begins_with_the_game_of_the_newest_run(browser: Any, tmp_path: Path) -> None:
    """Whoever comes from a run of Connect 4 wants to play that; a game that was chosen is remembered."""
    put_stats(tmp_path / "some", "connect4", 100)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.locator(board("connect4")).wait_for()
        expect(page.get_by_role("radio", name="Connect 4")).to_be_checked()
        begin(page, "othello")
        page.reload()
        page.locator(board("othello")).wait_for()
        expect(page.get_by_role("radio", name="Othello")).to_be_checked()


def test_a_first_visit_starts_no_game_but_the_one_that_it_shows(browser: Any, tmp_path: Path) -> None:
    """It would be compiled, and the visitor would wait for that."""
    put_stats(tmp_path / "some", "connect4", 100)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.locator(board("connect4")).wait_for()
        settled(page)
        page.context.clear_cookies()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.removeprefix(server.url)))
        page.reload()
        page.locator(board("connect4")).wait_for()
        settled(page)
        assert [call for call in asked if call.startswith("game/state")] == [
            "game/state?game=connect4&first=player&simulations=100"
        ]
        assert "game/new" not in asked
        assert page.request.get(f"{server.url}game/state").json()["game"] == "connect4"


def test_a_reload_keeps_the_game(browser: Any, empty: Server) -> None:
    """Also one in which the model has moved first."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "othello")
        page.locator("input[value=bot]").check()
        page.get_by_text("You play White").wait_for()
        assert page.locator(".stone").count() == 5
        page.reload()
        page.get_by_text("You play White").wait_for()
        assert page.locator(".stone").count() == 5


def test_another_run_is_drawn_beside_the_one_that_is_watched(browser: Any, tmp_path: Path) -> None:
    """One of the same game; the choice stays while the page is open, and runs of other games aren't offered."""
    for name, env_id, steps in (("ours", "tictactoe", 50), ("theirs", "tictactoe", 200), ("other", "connect4", 90)):
        put_stats(tmp_path / name, env_id, steps, eval_history=EVALUATIONS, last_eval=EVALUATIONS[-1])
    with serving(tmp_path) as server, window(browser, server.url, script=QUICK) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        page.locator("#run").select_option("ours")
        chart = page.locator(".chart").first
        expect(chart).to_have_attribute("data-points", "5")
        assert page.locator("#other option").all_inner_texts() == ["nothing", "theirs"]
        expect(chart).to_have_attribute("data-shown", "10 to 50")
        page.locator("#other").select_option("theirs")
        expect(chart).to_have_attribute("data-shown", "10 to 200")
        expect(chart.locator(".legend")).to_contain_text("theirs")
        expect(chart).to_have_attribute("data-points", "5")
        page.get_by_role("link", name="Play").click()
        page.get_by_role("link", name="Watch").click()
        expect(chart).to_have_attribute("data-shown", "10 to 200")
        put_stats(tmp_path / "theirs", "tictactoe", 300)
        expect(chart).to_have_attribute("data-shown", "10 to 300", timeout=1000 * PATIENCE)
        put_stats(tmp_path / "newer", "tictactoe", 10)
        expect(page.locator("#run")).to_contain_text("newer", timeout=1000 * PATIENCE)
        expect(page.locator("#other")).to_contain_text("newer")
        expect(page.locator("#other")).to_have_value("theirs")
        expect(chart).to_have_attribute("data-shown", "10 to 300")
        page.locator("#other").select_option("nothing")
        expect(chart).to_have_attribute("data-shown", "10 to 50")
        page.locator("#run").select_option("other")
        expect(page.locator("#other")).to_be_hidden()


def test_the_run_in_the_data_folder_itself_can_be_compared_with(browser: Any, tmp_path: Path) -> None:
    """Its name among the runs is a dot, which nobody gave it."""
    put_stats(tmp_path, "tictactoe", 200)
    put_stats(tmp_path / "ours", "tictactoe", 50)
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        page.locator("#run").select_option("ours")
        chart = page.locator(".chart").first
        expect(chart).to_have_attribute("data-shown", "10 to 50")
        assert page.locator("#other option").all_inner_texts() == ["nothing", "data folder (tictactoe)"]
        page.locator("#other").select_option(label="data folder (tictactoe)")
        expect(chart).to_have_attribute("data-shown", "10 to 200")
        expect(chart.locator(".legend")).to_contain_text("data folder (tictactoe)")


def test_a_chart_grows_while_a_run_is_training(browser: Any, tmp_path: Path) -> None:
    """From no run at all to an ever longer line, without a reload."""
    with serving(tmp_path) as server, window(browser, server.url) as found:
        page = found.page
        page.get_by_role("link", name="Watch").click()
        page.get_by_text("Waiting for a run").wait_for()
        put_stats(tmp_path / "tictactoe", "tictactoe", 50)
        chart = page.locator(".chart").first
        for steps in (50, 100, 150):
            put_stats(tmp_path / "tictactoe", "tictactoe", steps, eval_history=EVALUATIONS[: steps // 50])
            expect(chart).to_have_attribute("data-points", str(steps // 10))
            assert chart.locator("canvas").count() == 1
            page.get_by_text(f"{steps}", exact=True).first.wait_for()
        assert page.locator(".charts table tbody tr").count() == 3
        put_stats(tmp_path / "tictactoe", "tictactoe", 30)
        expect(page.locator(".chart").first).to_have_attribute("data-points", "3")


def test_the_page_recovers_when_the_server_is_back(browser: Any, tmp_path: Path) -> None:
    """It says that the server is gone, waits, and continues: Watch with newer statistics, Play with a new game."""
    put_stats(tmp_path, "tictactoe", 50)
    server = Server(tmp_path, port=lasting_port())
    try:
        with window(browser, server.url) as found:
            page = found.page
            begin(page, "connect4")
            page.locator(".target.open[data-target='3']").click()
            page.locator(".move.p2").wait_for()
            server.kill()
            page.locator(".target.open[data-target='3']").click()
            page.get_by_text("The server does not answer").wait_for()
            server.start()
            page.get_by_text("a new one began").wait_for()
            page.locator("#outage").wait_for(state="hidden")
            page.locator(".target.open[data-target='3']").click()
            page.locator(".move.p2").wait_for()
            assert page.locator(board("connect4") + " .stone").count() == 2

            page.get_by_role("link", name="Watch").click()
            expect(page.locator(".chart").first).to_have_attribute("data-points", "5")
            server.kill()
            page.get_by_text("The server does not answer").wait_for()
            put_stats(tmp_path, "tictactoe", 80)
            server.start()
            expect(page.locator(".chart").first).to_have_attribute("data-points", "8")
            page.locator("#outage").wait_for(state="hidden")
            refused = [text for text in found.complaints if "ERR_" in text]
            found.complaints = [text for text in found.complaints if text not in refused]
            assert refused
    finally:
        assert server.stop() == 0


def test_an_outage_while_the_page_is_loaded_keeps_the_chosen_game(browser: Any, empty: Server) -> None:
    """The page asks again, with the same settings."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        page.context.clear_cookies()
        page.route("**/game/state?*", lambda route: route.abort(), times=1)
        with page.expect_event("requestfailed"):
            page.reload()
        page.locator(board("connect4")).wait_for()
        expect(page.get_by_role("radio", name="Connect 4")).to_be_checked()
        settled(page)
        assert page.request.get(f"{empty.url}game/state").json()["game"] == "connect4"
        found.complaints = [text for text in found.complaints if "ERR_FAILED" not in text]


def test_after_an_outage_the_form_shows_the_game_that_is_shown(browser: Any, empty: Server) -> None:
    """Another one that was chosen meanwhile hasn't begun."""
    with window(browser, empty.url) as found:
        page = found.page
        begin(page, "connect4")
        click(page, 3)
        page.locator(".move.p2").wait_for()
        settled(page)
        page.route("**/game/new", lambda route: route.abort(), times=1)
        with page.expect_event("requestfailed"):
            page.locator("input[value=tictactoe]").check()
        expect(page.get_by_role("radio", name="Connect 4")).to_be_checked()
        assert page.locator(board("connect4") + " .stone").count() == 2
        page.reload()
        page.locator(board("connect4") + " .stone").first.wait_for()
        expect(page.get_by_role("radio", name="Connect 4")).to_be_checked()
        found.complaints = [text for text in found.complaints if "ERR_FAILED" not in text]


def test_stored_games_can_be_browsed(browser: Any, full: Server) -> None:
    """The newest first, filtered by result, and move by move with their training targets."""
    with window(browser, full.url) as found:
        page = found.page
        page.get_by_role("link", name="Look inside").click()
        page.locator("#run").select_option("tictactoe")
        page.locator(".game").first.wait_for()
        expect(page.locator(".game")).to_have_count(2)
        page.get_by_text("O won", exact=True).first.wait_for()
        expect(page.locator(".targets tbody tr")).to_have_count(6)
        page.get_by_role("button", name="Next position").click()
        page.get_by_text("teaches only its value").wait_for()
        page.get_by_role("button", name="Last position").click()
        assert page.locator(".stone").count() == 6
        page.get_by_text("O won", exact=True).first.wait_for()
        page.locator("input[value=first]").check()
        expect(page.locator(".game")).to_have_count(1)
        assert re.search("X won", page.locator(".game").inner_text())
        page.locator("#run").select_option("othello")
        page.get_by_text("no replay.db").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_view_is_accessible_and_fits(browser: Any, full: Server, size: str, theme: str) -> None:
    """axe-core finds nothing serious, nothing is wider than the window, and the console stays empty."""
    axe = Axe()
    width, height = SIZES[size]
    with window(browser, full.url, width, height, theme) as found:
        page = found.page

        def check(name: str) -> None:
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            violations = axe.run(page).response["violations"]
            serious = [
                f"{name}: {one['id']} {[node['target'] for node in one['nodes']][:3]}"
                for one in violations
                if one["impact"] in ("serious", "critical")
            ]
            assert serious == []

        page.locator(".status", has_text="Your turn").wait_for()
        page.get_by_role("button", name="Model analysis").click()
        for env_id in ("othello", "connect4"):
            page.locator(f"input[value={env_id}]").check()
            page.locator(board(env_id) + " .mark").first.wait_for()
            click(page, 19 if env_id == "othello" else 3)
            page.locator(".move.p2").wait_for()
            page.locator(".target.open").first.wait_for()
            check(env_id)
        page.get_by_role("link", name="Watch").click()
        page.locator(".chart canvas").first.wait_for()
        check("watch")
        page.get_by_role("link", name="Look inside").click()
        page.locator("#run").select_option("connect4")
        page.locator(".stage " + board("connect4")).wait_for()
        check("inside")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 22, 26)"
        assert dark == (theme == "dark")
        page.get_by_role("button", name="Switch between light and dark").click()
        assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 22, 26)") != dark
