"""Take the screenshots of the page for the documentation.

    python tools/web_screenshots.py --data-dir data

Needs Chromium, and a folder with one run per game (`python -m trainer.loop --env-id ...`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path += [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "support" / "web")]

from browser import FLAGS, board, chromium_path, serving, window  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

OPENINGS = {"tictactoe": [4, 0], "connect4": [3, 2, 3, 4], "othello": [19, 18, 37, 34, 20]}


def play(page: Any, game: str, moves: list[int], analysis: bool) -> None:
    """Start a game and make these moves, or the first legal move where one isn't legal. Show the analysis if asked."""
    page.locator(f"input[value={game}]").check()
    page.locator(board(game)).wait_for()
    for action in moves:
        page.locator(".boardholder:not(.waiting)").wait_for()
        target = page.locator(f".target.open[data-target='{action}']")
        (target if target.count() else page.locator(".target.open").nth(0)).click()
    page.locator(".boardholder:not(.waiting)").wait_for()
    if analysis and page.locator(".analysis").is_hidden():
        page.keyboard.press("m")
        page.locator(".mark").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, serving(chosen.data_dir) as server:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)

        @contextmanager
        def screenshot(name: str, width: int, height: int, theme: str, whole: bool = False) -> Iterator[Any]:
            with window(browser, server.url, width, height, theme) as found:
                found.page.locator(".boardholder:not(.waiting) .board").wait_for()
                yield found.page
                time.sleep(0.5)
                found.page.screenshot(path=str(chosen.out / f"{name}.png"), full_page=whole)
                print(chosen.out / f"{name}.png")

        for game, opening in OPENINGS.items():
            with screenshot(f"play-{game}", 1440, 900, "light") as page:
                play(page, game, opening, analysis=True)
            with screenshot(f"play-{game}-phone", 360, 740, "dark") as page:
                play(page, game, opening, analysis=game != "othello")
        for width, height, theme, suffix in ((1440, 900, "light", ""), (360, 740, "dark", "-phone")):
            with screenshot(f"watch{suffix}", width, height, theme, whole=not suffix) as page:
                page.get_by_role("link", name="Watch").click()
                page.locator("#run").select_option(index=0)
                page.locator(".chart canvas").nth(2).wait_for()
            with screenshot(f"inside{suffix}", width, height, theme, whole=bool(suffix)) as page:
                page.get_by_role("link", name="Look inside").click()
                page.locator("table.targets").wait_for()
                for _ in range(6):
                    page.keyboard.press("ArrowRight")
        browser.close()


if __name__ == "__main__":
    main()
