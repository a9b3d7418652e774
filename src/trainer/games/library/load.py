"""Loads a game from where it is."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import replace

from trainer.compile.source import DECLARED
from trainer.core.errors import GameError
from trainer.core.python_file import PythonFile
from trainer.games.base import Game
from trainer.games.library import names
from trainer.games.library.chance import refuse_chance
from trainer.games.library.found_game import FoundGame
from trainer.games.library.names import (
    ENV_IDS,
    RULES_FILE,
    file_at,
    file_of_entry_point,
    in_package,
    is_path,
    with_parameters,
)
from trainer.games.library.requirements import check_env_id, check_functions, check_tables, with_integers
from trainer.games.library.source_file import run_file
from trainer.games.library.stamp import refuse_other_files
from trainer.games.parameters import Parameter


def load(place: str, given: Mapping[str, int]) -> FoundGame:
    """Load a game from where it is. Raises GameError."""
    if place in ENV_IDS:
        own = importlib.import_module(f"trainer.games.{place}.rules") if not given else None
        path = names.FOLDER / place / RULES_FILE
    elif is_path(place):
        own, path = None, file_at(place)
        if not os.path.isfile(path):
            raise GameError(f"there is no game at {path}; give the path of a Python file with its rules")
    else:
        own, path = None, file_of_entry_point(place)
    source = PythonFile(path)
    if not in_package(path):
        refuse_other_files(source.text, path)
    if own is None:
        own = run_file(source, f"{path.parent.name if path.name == RULES_FILE else path.stem}.rules", given)
    game = vars(own).get("GAME")
    if not isinstance(game, Game):
        raise GameError(f"{path} has no GAME; set it to a trainer.games.base.Game at the top of the file")
    game = with_integers(game, path)
    check_env_id(game, path)
    check_tables(game, path)
    declared: list[Parameter] = vars(own).get(DECLARED, [])
    known = [parameter.name for parameter in declared]
    for name in given.keys() - known:
        raise GameError(f"{game.env_id} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
    if game.env_id in ENV_IDS and not in_package(path):
        raise GameError(f"{path} calls its game {game.env_id}, like one of this package; give its GAME another env_id")
    changed = tuple((p.name, given[p.name]) for p in declared if given.get(p.name, p.default) != p.default)
    check_functions(own, game, path)
    if not in_package(path):
        refuse_chance(own, source.text, path)
    found = FoundGame(replace(game, env_id=with_parameters(game.env_id, changed)), own, path, source.text, changed)
    _ = found.stamp  # before anything can change a global of the rules
    return found
