"""Every kind of board in a real browser: whole games by clicks and by keys, several moves in a row, promotions, passes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Server, begin, board, click, serving, settled, window
from playwright.sync_api import expect
from run_files import put_model, put_stats, store_games

from trainer.games import find_game

BOARDS = Path(__file__).parents[1] / "support" / "boards"
KINDS = ("edges", "hexagons", "pieces", "points")
SIZES = {"phone": (360, 740), "desktop": (1440, 900)}
PASS = 25
PAWNS = ((0, 4), (12, 8), (1, 5), (8, 5), (2, 5), (13, 9), (4, 8), (14, 10), (8, 12))
"""A game of Hexapawn, from and to, in which Black plays the first legal move; White promotes."""


@pytest.fixture(scope="module")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows a small game of each kind, with a run of each.

    The model of the game on crossings always passes. The other games have no model, so the raw policy plays the first legal
    move.
    """
    folder = tmp_path_factory.mktemp("boards")
    games = {kind: find_game(str(BOARDS / f"{kind}.py")) for kind in KINDS}
    moves = games["pieces"].own.MOVES
    pawns = [
        moves.index((1 + ply % 2, begin, end, 1 if ply < 8 else games["pieces"].own.KNIGHT))
        for ply, (begin, end) in enumerate(PAWNS)
    ]
    stored = {
        "edges": [2, 0, 5, 1, 6, 3, 4],
        "hexagons": [4, 0, 1, 2, 7],
        "pieces": pawns,
        "points": [12, 0, PASS, PASS],
    }
    for kind, found in games.items():
        put_stats(folder / kind, found.game.env_id, 50)
        store_games(folder / kind, found.game.env_id, [stored[kind]])
    put_model(folder / "points", "test-points", favourite=PASS)
    with serving(folder, [BOARDS / f"{kind}.py" for kind in KINDS]) as found_server:
        yield found_server


def play(page: Any, *targets: int) -> None:
    """Click on the cells of a move, and wait for the answer."""
    click(page, *targets)
    settled(page)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["pass"], "You (Red) have no move and must pass."),
        (["take"], "Your turn. You play Red."),
        (["pass", "take"], "Your turn. You play Red."),
    ],
)
def test_only_a_single_legal_pass_is_forced(names: list[str], words: str, browser: Any, server: Server) -> None:
    """Moves without cells are buttons, of which a game may have no others."""
    state = {"winner": 0, "human_player": 1, "choices": [{"cells": [], "name": name} for name in names]}
    with window(browser, server.url) as found:
        text = (
            "([state, info]) => import('/static/base/standing.js').then(({ standing }) => standing(state, info, false))"
        )
        assert found.page.evaluate(text, [state, {"player_names": ["Red", "Blue"]}]) == words


CAPTION = """async (width) => {
    const { AnalysisTable } = await import('/static/parts/analysis_table.js');
    const info = await (await fetch('/game-info/tictactoe')).json();
    const table = new AnalysisTable();
    table.draw({ ...info, board_width: width }, { moves: [], mover: 1, simulations: 100 });
    return table.caption.textContent;
}"""


def test_the_caption_of_an_analysis_says_what_the_board_shows(browser: Any, server: Server) -> None:
    """A board of more than nine columns has no room for the prior."""
    with window(browser, server.url) as found:
        captions = [found.page.evaluate(CAPTION, width) for width in (9, 10)]
    assert ["share of them, with the prior below." in caption for caption in captions] == [True, False]
    assert captions[1].endswith("share of them.")


SHARED_CELL = """async () => {
    const { Board } = await import('/static/board/board.js');
    const info = await (await fetch('/game-info/tictactoe')).json();
    info.action_cells[1] = [0];
    const holder = document.createElement('div');
    const marks = { 0: { share: 0.25 }, 1: { share: 0.5 }, 2: { share: 0.25 } };
    new Board(holder, info, () => {}).draw({ cells: new Array(9).fill(0), marks });
    return [0, 1, 2].map((cell) => holder.querySelector(`.target[data-target='${cell}']`).getAttribute('aria-label'));
}"""


def test_the_share_of_a_cell_is_that_of_all_moves_there(browser: Any, server: Server) -> None:
    """A screen reader says it, as the board shows it."""
    with window(browser, server.url) as found:
        labels = found.page.evaluate(SHARED_CELL)
    assert labels == ["a3, empty, share 75%", "b3, empty", "c3, empty, share 25%"]


def test_edges_are_drawn_and_whoever_closes_a_box_moves_again(browser: Any, server: Server) -> None:
    """In the first game the model closes both boxes in a row; in the second the person closes one and moves again."""
    with window(browser, server.url) as found:
        page = found.page
        begin(page, "test-edges")
        for cell in (5, 11, 13):
            play(page, cell)
        expect(page.locator(".status")).to_have_text("The model wins.")
        expect(page.locator(".note")).to_have_text("The model played c2 and e2.")
        expect(page.locator(".newest .edge")).to_have_count(2)
        expect(page.locator(".stone.p2 .owned")).to_have_count(2)
        expect(page.locator(".value")).to_have_text("Result: Blue has won · Red 0, Blue 2")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".move")).to_have_count(4)
        settled(page)
        page.keyboard.press("n")
        expect(page.locator(".move")).to_have_count(0)
        settled(page)
        for cell in (11, 5, 7):
            play(page, cell)
        expect(page.locator(".status")).to_have_text("Your turn again. You play Red.")
        expect(page.locator(".stone.p1 .owned")).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".status")).to_have_text("Your turn. You play Red.")
        settled(page)
        for cell in (7, 9):
            play(page, cell)
        expect(page.locator(".status")).to_have_text("A draw.")


def test_a_game_on_hexagons(browser: Any, server: Server) -> None:
    """By clicks. Each player owns two sides of the board."""
    with window(browser, server.url) as found:
        page = found.page
        begin(page, "test-hexagons")
        expect(page.locator(".side.p1")).to_have_count(2)
        expect(page.locator(".side.p2")).to_have_count(2)
        for cell in (4, 1, 7):
            play(page, cell)
        expect(page.locator(".status")).to_have_text("You win.")
        expect(page.locator(".stone.p1")).to_have_count(3)
        expect(page.locator(".stone.p2")).to_have_count(2)


def test_pieces_go_from_cell_to_cell_and_promote(browser: Any, server: Server) -> None:
    """The first click chooses a piece, the second where it goes; the promotion is a button with the move's name."""
    with window(browser, server.url) as found:
        page = found.page
        begin(page, "test-pieces")
        expect(page.locator(".may")).to_have_count(0)
        click(page, 0)
        expect(page.locator(".chosen")).to_have_count(1)
        expect(page.locator(".may")).to_have_count(1)
        click(page, 1)  # another piece instead
        expect(page.locator(".target[data-target='1']")).to_have_attribute("aria-pressed", "true")
        click(page, 1)  # none
        expect(page.locator(".chosen")).to_have_count(0)
        for begins, ends in PAWNS[:-1:2]:
            play(page, begins, ends)
        expect(page.locator(".moved")).to_have_count(2)
        page.get_by_role("button", name="Model analysis").click()
        page.locator(".arrow-mark.best").wait_for()
        expect(page.locator(".analysis tbody tr th").first).to_have_text("d1d2")
        settled(page)
        click(page, *PAWNS[-1])
        buttons = page.locator(".choices button")
        expect(buttons).to_have_text(["a3a4=Q", "a3a4=N"])
        expect(buttons.first).to_be_focused()
        page.keyboard.press("Escape")
        expect(buttons).to_have_count(0)
        click(page, *PAWNS[-1])
        page.get_by_role("button", name="a3a4=N").click()
        expect(page.locator(".status")).to_have_text("You win.")
        expect(page.locator(".target[data-target='12']")).to_have_attribute("aria-label", "a4, White knight")
        expect(page.locator(".move").last).to_have_attribute("aria-label", "Move 9, White: a3a4=N")


def test_pieces_move_by_keys(browser: Any, server: Server) -> None:
    """Arrows move the focus, Enter chooses piece and cell, Escape drops the choice."""
    with window(browser, server.url) as found:
        page = found.page
        begin(page, "test-pieces")
        first = page.locator(".target[data-target='0']")
        first.focus()
        page.keyboard.press("Enter")
        expect(first).to_have_attribute("aria-label", "a1, White pawn, chosen")
        page.keyboard.press("Escape")
        expect(first).to_have_attribute("aria-label", "a1, White pawn, can move")
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowUp")
        expect(page.locator(".target[data-target='4']")).to_have_attribute("aria-label", "a2, empty, playable")
        page.keyboard.press("Enter")
        expect(page.locator(".move")).to_have_count(2)


@pytest.mark.parametrize(
    ("env_id", "keys", "cells"),
    [
        ("test-edges", "Up Right Down Right Down Left Left Right Right", [6, 1, 3, 8, 9, 13, 11, 5, 6, 7]),
        ("test-hexagons", "Right Right Down Left Left Down Right Right Up Down", [0, 1, 2, 5, 4, 3, 6, 7, 8, 5, 8]),
    ],
)
def test_arrows_lead_to_every_edge_and_hexagon(
    browser: Any, server: Server, env_id: str, keys: str, cells: list[int]
) -> None:
    """To what is nearest in their direction; opposite arrows lead back."""
    with window(browser, server.url) as found:
        page = found.page
        begin(page, env_id)
        page.locator(".target[tabindex='0']").focus()
        walked = [page.evaluate("document.activeElement.dataset.target")]
        for key in keys.split():
            page.keyboard.press(f"Arrow{key}")
            walked.append(page.evaluate("document.activeElement.dataset.target"))
        assert walked == [str(cell) for cell in cells]
        assert len(set(walked)) == page.locator(".target").count()


def test_stones_on_crossings_and_passes(browser: Any, server: Server) -> None:
    """The pass is a button at every turn; two passes end the game, and the points are shown."""
    with window(browser, server.url) as found:
        page = found.page
        begin(page, "test-points")
        play(page, 12)
        expect(page.locator(".status")).to_have_text("Your turn. You play Black.")
        expect(page.locator(".move").last).to_contain_text("pass")
        page.get_by_role("button", name="Pass", exact=True).press("Enter")
        expect(page.locator(".status")).to_have_text("You win.")
        assert page.evaluate("document.activeElement.matches('.board .target')"), "the keyboard has lost the board"
        expect(page.locator(".value")).to_have_text("Result: Black has won · Black 1, White 0.5")
        expect(page.locator(".choices button")).to_have_count(0)


def test_a_game_whose_actions_are_no_places(browser: Any, tmp_path: Path) -> None:
    """The newest move is marked where the board has changed, and shares are shown also over cells that are taken."""
    with serving(tmp_path, [BOARDS / "counters.py"]) as server, window(browser, server.url) as found:
        page = found.page
        begin(page, "test-counters")
        play(page, 2)
        expect(page.locator(".stone")).to_have_count(4)
        expect(page.locator(".newest")).to_have_count(1)
        expect(page.locator(".newest")).to_have_attribute("data-cell", "3")
        page.get_by_role("button", name="Model analysis").click()
        expect(page.locator(".mark")).to_have_count(3)
        settled(page)
        page.get_by_role("button", name="Previous position").click()
        assert page.locator(".newest").evaluate_all("all => all.map((one) => one.dataset.cell)") == ["2"]
        page.get_by_role("button", name="Last position").click()
        play(page, 1)
        page.get_by_role("button", name="Previous position").click()
        assert page.locator(".newest").evaluate_all("all => all.map((one) => one.dataset.cell)") == ["4", "5"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_board_is_accessible_and_fits(browser: Any, server: Server, size: str, theme: str) -> None:
    """In Play with the analysis, and in Look inside: axe-core finds nothing serious, nothing is wider than the window."""
    axe = Axe()
    width, height = SIZES[size]
    with window(browser, server.url, width, height, theme) as found:
        page = found.page

        def check(name: str) -> None:
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            serious = [
                f"{name}: {one['id']} {[node['target'] for node in one['nodes']][:3]}"
                for one in axe.run(page).response["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            assert serious == []

        page.locator(".status", has_text="Your turn").wait_for()
        page.get_by_role("button", name="Model analysis").click()
        for kind in KINDS:
            page.locator(f"input[value=test-{kind}]").check()
            page.locator(board(f"test-{kind}")).wait_for()
            page.locator(".mark, .arrow-mark").first.wait_for()
            settled(page)
            check(kind)
        page.get_by_role("link", name="Look inside").click()
        for kind in KINDS:
            page.locator("#run").select_option(kind)
            page.locator(".stage " + board(f"test-{kind}")).wait_for()
            page.get_by_role("button", name="Last position").click()
            page.locator(".stage .stone").first.wait_for(state="attached")  # a line has no area, so it counts as hidden
            page.get_by_role("button", name="First position").click()
            expect(page.locator(".targets tbody tr").first).to_contain_text("played")
            check(f"{kind} inside")
