"""The copy of its game's rules that a run keeps, and plays by.

A game of this package needs no copy. Of another one the run's folder holds the file, or the files beside its `rules.py`, in
`rules`. Processes of the run use the copy, so an edit of the original changes nothing in a run that is under way.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from trainer.core.errors import GameError
from trainer.games import find_game
from trainer.games.library import RULES_FILE, FoundGame, with_parameters

KEPT = "rules"


def keep_rules(name: str, folder: Path, resume: bool = False) -> str:
    """Copy the rules of a game to a run's folder; returns the name of the copy, or of a game that needs none.

    `resume`: the copy is there already, and is used. Raises GameError if the rules have changed since it was made.
    """
    found = find_game(name)
    if found.in_package:
        return found.name
    copy = folder / KEPT / found.path.name
    if resume and copy.exists():
        if copy.read_bytes() != found.text:
            raise GameError(
                f"the rules of {found.game.env_id} have changed since the run in {folder} began: {found.path} differs from "
                f"the run's copy {copy}; start a new run without --resume, or go on by the old rules with --env-id {copy}"
            )
    elif copy.resolve() != found.path.resolve():
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir(parents=True)
        files = found.path.parent.iterdir() if found.path.name == RULES_FILE else [found.path]
        for file in files:
            if file.is_file():
                shutil.copyfile(file, copy.with_name(file.name))
    return with_parameters(str(copy.absolute()), found.parameters)


def kept_game(folder: Path, env_id: str) -> FoundGame | None:
    """The game of a run by the copy of its rules; None if the run has no copy. Raises GameError if it can't be loaded."""
    copies = sorted((folder / KEPT).glob("*.py"))
    rules = folder / KEPT / RULES_FILE
    if not copies:
        return None
    _, colon, parameters = env_id.partition(":")
    return find_game(f"{(rules if rules in copies else copies[0]).absolute()}{colon}{parameters}")
