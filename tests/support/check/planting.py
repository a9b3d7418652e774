"""Mistakes planted in copies of correct games, and what the checker says of them."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

from trainer.check.findings import Finding, Level
from trainer.check.report import results
from trainer.check.subject import Subject
from trainer.games.library.names import FOLDER

GAMES = 200
SOURCES = {
    "pairs": Path(__file__).with_name("pairs.py"),
    "kings": Path(__file__).with_name("kings.py"),
    "tictactoe": FOLDER / "tictactoe" / "rules.py",
    "connect4": FOLDER / "connect4" / "rules.py",
}


def planted(folder: Path, game: str, *changes: tuple[str, str], name: str = "") -> str:
    """The path of a copy of a game with some of its text changed; each piece of text must be there exactly once."""
    text = SOURCES[game].read_text()
    env_id = f"{game}_{name or folder.name}"
    for old, new in ((f'env_id="{game}"', f'env_id="{env_id}"'), *changes):
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    path = folder / f"{env_id}.py"
    path.write_text(text)
    return str(path)


def numbered(words: str, folder: Path) -> str:
    """`words` with the number of the line of the folder's game that has `text`, in place of `{text}`."""
    (path,) = folder.glob("*.py")
    lines = path.read_text().splitlines()
    return re.sub(r"{(.*)}", lambda found: str(next(at for at, line in enumerate(lines, 1) if found[1] in line)), words)


def found_in(path: str, level: Level = Level.FAILURE, until: str = "") -> dict[str, list[Finding]]:
    """What the checker finds in a game at this level or above, by the name of the check. `until`: the last check to do."""
    found = {}
    with closing(results(Subject(path, GAMES))) as outcomes:
        for result in outcomes:
            bad = [finding for finding in result.findings if finding.level >= level]
            if bad:
                found[result.name] = bad
            if result.name == until:
                break
    return found
