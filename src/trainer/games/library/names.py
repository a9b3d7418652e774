"""Names of games: which there are, where each is, and the parameters in a name."""

from __future__ import annotations

import importlib.util
import os
from importlib.metadata import entry_points
from pathlib import Path

from trainer.core.errors import GameError
from trainer.games.parameters import parsed

ENV_IDS = ("tictactoe", "connect4", "othello", "hex", "dots", "mnk", "breakthrough", "go", "minichess")
"""The games of this package."""
OF_CONTRACT = ("tictactoe", "connect4", "othello")
"""Those that other programs know."""
GROUP = "trainer.games"
"""The entry points of other packages' games."""
FOLDER = Path(__file__).parents[1]
"""The folder of this package's games."""
RULES_FILE = "rules.py"
PARTS = ("recipe", "heuristic", "solver", "scored_positions", "engine", "openspiel_actions")
"""The other files that a game's folder can have, without their ending."""


def in_package(path: Path) -> bool:
    """Whether a file with rules is that of a game of this package."""
    return path.parent.parent == FOLDER


def is_installed(name: str) -> bool:
    """Whether a name is that of a game of this package or of another one, with or without parameters. Loads nothing.

    The names in files that came from somebody else must be installed, or known: no such file may say which code runs.
    """
    place, _ = place_in(name)
    return not is_path(place) and is_there(place)


def is_path(place: str) -> bool:
    """Whether a place, or a name with parameters, is a path; otherwise it is a word."""
    return place.endswith(".py") or ".py:" in place or "/" in place


def place_in(name: str) -> tuple[str, str | None]:
    """A name's place, and what it states as parameters: of `hex:size=9`, `hex` and `size=9`; None: it states none.

    Paths may have colons. What follows the last colon is about parameters only if there is a game at what precedes it.
    """
    place, colon, stated = name.rpartition(":")
    if not colon or "/" in stated:
        return name, None
    return (place, stated) if is_there(place) else (name, None)


def is_there(place: str) -> bool:
    """Whether there is a game at a place: a file, a game of this package, or an entry point."""
    if is_path(place):
        return os.path.isfile(file_at(place))
    return place in ENV_IDS or place in entry_points(group=GROUP).names


def split_name(name: str) -> tuple[str, dict[str, int]]:
    """A name's place and parameters: of `hex:size=9`, `hex` and {"size": 9}. Raises GameError for anything else."""
    place, stated = place_in(name)
    return place, {} if stated is None else parsed(stated, name)


def with_parameters(name: str, parameters: tuple[tuple[str, int], ...]) -> str:
    """The inverse of `split_name`."""
    return f"{name}:{','.join(f'{key}={value}' for key, value in parameters)}" if parameters else name


def file_at(place: str) -> Path:
    """The file with the rules at a path, which may be a folder. It need not be there."""
    path = Path(place).absolute()
    return path / RULES_FILE if os.path.isdir(path) else path  # Path.is_dir raises for a name that is too long


def file_of_entry_point(name: str) -> Path:
    """The file of a game of another package, which may be a folder. Raises GameError if no package has such a game."""
    points = entry_points(group=GROUP)
    if name not in points.names:
        others = sorted(points.names)
        raise GameError(
            f"no rules for a game named {name!r}; the known games are {', '.join([*ENV_IDS, *others])}; "
            f"a game of your own is named by its file, as in ./mygame.py"
        )
    module = points[name].value.partition(":")[0]
    try:
        found = importlib.util.find_spec(module)  # imports the packages that it is in
    except ImportError:
        found = None
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (Path(folder) / RULES_FILE).is_file():
            return Path(folder) / RULES_FILE
    if found is not None and found.origin is None:
        raise GameError(f"the game {name} should be the folder of the package {module}, which has no {RULES_FILE}")
    if found is None:
        raise GameError(f"the game {name} should be the module {module}, which is not installed")
    return Path(str(found.origin))
