"""Where games are: in the package, in a file, or in another package; and with which parameters.

A game is named in one of three ways, and `:name=value,...` sets its parameters:

    hex:size=9                 a game of this package: a folder here
    ./mygame.py:size=9         a file with rules, which may also have a RECIPE; or a folder with rules.py and other parts
    mygame                     a game of another package, an entry point of the group `trainer.games` that names a module

The name under which a game's rows and models are kept, its env_id, is the `env_id` of its `GAME`, with the parameters that
differ from their defaults.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from trainer.compile.source import Source
from trainer.core.errors import GameError
from trainer.games import complete
from trainer.games.base import Game
from trainer.games.parameters import DECLARED, GIVEN, Parameter, parsed
from trainer.games.requirements import check_env_id, check_functions
from trainer.games.stamp import refuse_other_files, stamp_of

ENV_IDS = ("tictactoe", "connect4", "othello", "hex", "dots", "mnk", "breakthrough", "go", "minichess")
"""The games of this package."""
OF_CONTRACT = ("tictactoe", "connect4", "othello")
"""Those that other programs know."""
GROUP = "trainer.games"
"""The entry points of other packages' games."""
FOLDER = Path(__file__).parent
RULES_FILE = "rules.py"
PARTS = ("recipe", "heuristic", "solver", "scored_positions", "engine", "openspiel_actions")
"""The other files that a game's folder can have, without their ending."""


@dataclass(frozen=True)
class FoundGame:
    """A game with its rules."""

    game: Game
    """Its env_id has the parameters."""
    own: ModuleType
    """The game's module, uncompiled."""
    path: Path
    """Its file."""
    text: bytes
    """The content of the file, as it was run."""
    parameters: tuple[tuple[str, int], ...]
    """Those that differ from their defaults."""

    @property
    def name(self) -> str:
        """A name by which other processes find it, wherever they run."""
        return with_parameters(self.path.parent.name if self.in_package else str(self.path), self.parameters)

    @property
    def in_package(self) -> bool:
        """Whether it is a game of this package."""
        return self.path.parent.parent == FOLDER

    @cached_property
    def stamp(self) -> str | None:
        """The hash of the rules, which their rows and models carry; None for the games of the contract.

        Other programs know those three by their names, and what is written of them has no place for a hash.
        """
        if self.in_package and self.game.env_id in OF_CONTRACT:
            return None
        return stamp_of(self.text, self.parameters, self.own)

    @property
    def where_older_rules_are(self) -> str:
        """For messages about rows and models of other rules: where to find those."""
        if self.in_package:
            return "use the version of this program that made them (their run's run.json names its commit)"
        return "use the rules of their run, which keeps a copy in its folder `rules`"

    @property
    def constants(self) -> dict[str, Any]:
        """The sizes of the game and what its rules have, for kernels to bind."""
        game = self.game
        return {
            "NUM_CELLS": game.num_cells,
            "NUM_ACTIONS": game.num_actions,
            "MOST_MOVES": game.most_moves,
            "FEW_LEGAL": game.few_legal,
            "FLAG_WORDS": game.flag_words,
            "RAW_WORDS": game.raw_words,
            "KEY_WORDS": game.deciding_words,
            "VIEW_SIZE": game.legal_mask_offset,
            "USUAL_PLIES": game.usual_plies,
            "HAS_START": hasattr(self.own, "start"),
            "HAS_MOVES": hasattr(self.own, "moves"),
            "HAS_CELLS": hasattr(self.own, "cells"),
            "HAS_FEATURES": hasattr(self.own, "features"),
            "SUDDEN_WINS": hasattr(self.own, "wins_next"),
        }

    @cached_property
    def rules(self) -> ModuleType:
        """The complete rules, uncompiled."""
        module = Source(Path(str(complete.__file__))).run(f"_plain_{id(self)}", complete.__package__)
        vars(module).update(self.constants, own=self.own, GAME=self.game)
        if not hasattr(self.own, "wins_next"):
            del module.wins_next
        return module

    def part(self, name: str) -> ModuleType | None:
        """The module `name` beside the rules ("recipe", "solver", ...), imported now; None if the game has none."""
        path = self.path.with_name(f"{name}.py")
        if self.path.name != RULES_FILE or not path.exists():
            return self.own if hasattr(self.own, name.upper()) else None
        if self.in_package:
            return importlib.import_module(f"{__package__}.{self.path.parent.name}.{name}")
        return run_file(Source(path), f"{self.path.parent.name}.{name}", dict(self.parameters))


_named: dict[str, FoundGame] = {}
"""The games of this process, by the names that were used for them."""
_games: dict[str, FoundGame] = {}
"""The same by their env_ids."""


def find_game(name: str) -> FoundGame:
    """The game of a name, or of an env_id that this process has seen. Raises GameError if there is none."""
    if name not in _named and name in _games:
        return _games[name]
    if name not in _named:
        place, parameters = split_name(name)
        found = load(place, parameters)
        env_id = found.game.env_id
        known = _games.setdefault(env_id, found)
        if known.path != found.path and known.stamp != found.stamp:
            raise GameError(
                f"{found.path} and {known.path} both call their game {env_id}; give one of them another env_id"
            )
        _named[name] = known
    return _named[name]


def adopt(name: str) -> FoundGame:
    """The game of a name, which from now on is what this process means by its env_id. Raises GameError."""
    found = load(*split_name(name))
    env_id = found.game.env_id
    for other in [name, *(other for other, game in _named.items() if game.game.env_id == env_id)]:
        _named[other] = found
    _games[env_id] = found
    return found


def has_rules(name: str) -> bool:
    """Whether there are rules for a name; False only for a plain word that no package has a game for."""
    return is_path(place_in(name)[0]) or name in _games or is_installed(name)


def is_installed(name: str) -> bool:
    """Whether a name is that of a game of this package or of another one, with or without parameters. Loads nothing.

    The names in files that came from somebody else must be installed, or known: no such file may say which code runs.
    """
    place, _ = place_in(name)
    return not is_path(place) and is_there(place)


def is_known(env_id: str) -> bool:
    """Whether this is the env_id of a game of this package, or of one that was named to this process. Loads nothing."""
    return env_id in _games or env_id in ENV_IDS


def is_available(env_id: str) -> bool:
    """Whether a game is known, or one of this package with parameters, which is then loaded. Runs no rules from elsewhere.

    This is for the names in the files of one's own runs. For those in requests there is `is_known`.
    """
    if is_known(env_id) or env_id.partition(":")[0] not in ENV_IDS:
        return is_known(env_id)
    try:
        return place_in(env_id)[0] in ENV_IDS and find_game(env_id).game.env_id == env_id
    except GameError:
        return False


def known_games() -> list[str]:
    """The env_ids of this package's games, and of those that were named to this process."""
    return [*ENV_IDS, *(env_id for env_id in _games if env_id not in ENV_IDS)]


def is_path(place: str) -> bool:
    """Whether a place is a path; otherwise it is a word."""
    return place.endswith(".py") or "/" in place


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


def load(place: str, given: Mapping[str, int]) -> FoundGame:
    """Load a game from where it is. Raises GameError."""
    if place in ENV_IDS:
        own = importlib.import_module(f"{__package__}.{place}.rules") if not given else None
        path = FOLDER / place / RULES_FILE
    elif is_path(place):
        own, path = None, file_at(place)
        if not os.path.isfile(path):
            raise GameError(f"there is no game at {path}; give the path of a Python file with its rules")
    else:
        own, path = None, file_of_entry_point(place)
    source = Source(path)
    if path.parent.parent != FOLDER:
        refuse_other_files(source.text, path)
    if own is None:
        own = run_file(source, f"{path.parent.name if path.name == RULES_FILE else path.stem}.rules", given)
    game = vars(own).get("GAME")
    if not isinstance(game, Game):
        raise GameError(f"{path} has no GAME; set it to a trainer.games.base.Game at the top of the file")
    check_env_id(game, path)
    declared: list[Parameter] = vars(own).get(DECLARED, [])
    names = [parameter.name for parameter in declared]
    for name in given.keys() - names:
        raise GameError(f"{game.env_id} has no parameter {name!r}; it has {', '.join(names) or 'none'}")
    if game.env_id in ENV_IDS and path.parent.parent != FOLDER:
        raise GameError(f"{path} calls its game {game.env_id}, like one of this package; give its GAME another env_id")
    changed = tuple((p.name, given[p.name]) for p in declared if given.get(p.name, p.default) != p.default)
    check_functions(own, game, path)
    found = FoundGame(replace(game, env_id=with_parameters(game.env_id, changed)), own, path, source.text, changed)
    _ = found.stamp  # before anything can change a global of the rules
    return found


def file_at(place: str) -> Path:
    """The file with the rules at a path, which may be a folder. It need not be there."""
    path = Path(place).absolute()
    return path / RULES_FILE if os.path.isdir(path) else path  # Path.is_dir raises for a name that is too long


def file_of_entry_point(name: str) -> Path:
    """The file of a game of another package. Raises GameError if no package has a game of that name."""
    points = entry_points(group=GROUP)
    if name not in points.names:
        others = sorted(points.names)
        raise GameError(
            f"no rules for a game named {name!r}; the known games are {', '.join([*ENV_IDS, *others])}; "
            f"a game of your own is named by its file, as in ./mygame.py"
        )
    module = points[name].value.partition(":")[0]
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise GameError(f"the game {name} should be the module {module}, which is not installed")
    return Path(found.origin)


def run_file(source: Source, name: str, parameters: Mapping[str, int]) -> ModuleType:
    """Run a Python file as a module, with the values of its parameters. Raises GameError if it fails, with its line."""
    path = source.path
    module = ModuleType(re.sub(r"\W", "_", name))
    module.__file__ = str(path)
    setattr(module, GIVEN, dict(parameters))
    try:
        exec(source.code, vars(module))
    except GameError:
        raise
    except Exception as error:  # whatever somebody's file raises
        raise GameError(f"{path}, line {line_in(path, error)}: {type(error).__name__}: {error}") from error
    return module


def line_in(path: Path, error: Exception) -> int:
    """The last line of a file that an error passed through; of a syntax error, where it is."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    line, trace = 1, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
