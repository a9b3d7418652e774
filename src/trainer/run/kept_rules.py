"""The copy of its game's rules that a run keeps, and plays by.

A game of this package needs no copy. Of another one the run's folder holds the file, or its `rules.py` with the parts beside
it, in `rules`, and there `kept.json` says which game it is. Processes of the run use the copy, so an edit of the original
changes nothing in a run that is under way. Nothing is deleted: rules that a run no longer plays by are set aside.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

from trainer.core.errors import GameError
from trainer.core.files import write_bytes
from trainer.core.json_values import read_json_object, write_json
from trainer.core.signals import nothing_to_finish
from trainer.games import find_game
from trainer.games.library import PARTS, RULES_FILE, FoundGame, adopt, rules_differ, with_parameters, without_recipe
from trainer.games.library.load import load
from trainer.replay import read_stamp
from trainer.run.folder import RunFolder, unused

RECORD = "kept.json"
COPYING = ".rules-"
"""How the name of a copy begins that isn't complete yet."""


def keep_rules(name: str, folder: Path, resume: bool = False) -> str:
    """Copy the rules of a game to a run's folder; returns the name of the copy, or of a game that needs none.

    From then on this process plays by the copy, too. Raises GameError, before anything is changed, if the run is to be
    resumed by other rules, if its database holds games that were played by others, if `rules` is somebody else's folder, or
    if the rules can't be compiled or a copy wouldn't work.
    """
    found = find_game(name)
    if found.in_package:
        return found.name
    change = change_needed(found, folder, resume)
    rules, kept = RunFolder(folder).rules, recorded(folder)
    if kept and is_in(rules, found):
        if change == "record":
            write_json(rules / RECORD, record_of(found), indent=2, durable=True)
        return found.name
    if kept is None or change == "copy":
        from trainer.games.positions import Positions  # compiled code takes a second to import

        with nothing_to_finish():
            Positions(found.game.env_id, 1)  # compiles them: a mistake is said of this file, not of the copy
        new = copied_beside(rules, found)
        if kept:
            rules.rename(unused(folder, "rules-old"))
        new.rename(rules)
        kept = {"file": found.path.name}
    return adopt(with_parameters(str((rules / kept["file"]).absolute()), found.parameters)).name


def require_keepable(name: str, folder: Path, resume: bool = False) -> None:
    """Raise GameError if `keep_rules` would refuse the rules of a game, other than for a copy that doesn't work."""
    found = find_game(name)
    if not found.in_package:
        change_needed(found, folder, resume)


def change_needed(found: FoundGame, folder: Path, resume: bool) -> Literal["record", "copy"] | None:
    """What a run must do to keep the rules of a game of another package: note its parameters, copy the files, or nothing.

    Raises GameError for rules that it can't take.
    """
    rules = RunFolder(folder).rules
    kept = recorded(folder)
    if rules.exists() and kept is None:
        raise GameError(
            f"a run keeps a copy of its rules in {rules}, but that folder was not made by a run (it has no {RECORD}); give "
            f"another folder with --data-dir"
        )
    if kept and is_in(rules, found):
        if kept["env_id"] == found.game.env_id:
            return None
        refuse_mixture(found, folder, None)  # it has other parameters
        return "record"
    if kept is None or differs(found, rules, kept, resume):
        refuse_mixture(found, folder, kept if resume else None)
        return "copy"
    return None


def is_in(rules: Path, found: FoundGame) -> bool:
    """Whether a game's file is the one in a run's folder of rules."""
    return found.path.parent.resolve() == rules.resolve()


def kept_game(folder: Path, env_id: str) -> FoundGame | None:
    """The game `env_id` of a run, by the copy of its rules; None if the run has no copy. Raises GameError if it can't be
    loaded."""
    kept = recorded(folder)
    if kept is None or kept["env_id"] != env_id:
        return None
    copy = RunFolder(folder).rules / kept["file"]
    return find_game(with_parameters(str(copy.absolute()), tuple(kept["parameters"].items())))


def recorded(folder: Path) -> dict[str, Any] | None:
    """What `kept.json` says: env_id, file, parameters; None if a run keeps no rules. Raises GameError if it is damaged."""
    path = RunFolder(folder).rules / RECORD
    if not path.exists():
        return None
    kept = read_json_object(path) or {}
    kinds = {"env_id": str, "file": str, "parameters": dict}
    if not all(isinstance(kept.get(name), kind) for name, kind in kinds.items()):
        raise GameError(
            f"{path} is damaged, so this run's own rules can't be found; move the folder {path.parent} away and name the "
            f"file with the rules with --env-id, or give another folder with --data-dir"
        )
    return kept


def differs(found: FoundGame, rules: Path, kept: dict[str, Any], resume: bool) -> bool:
    """Whether the copy in `rules` isn't that of a game: other rules, or in a new run another recipe, heuristic and so on.

    A run that is resumed goes on with the recipe and the files that it has.
    """
    copy = rules / kept["file"]
    text = copy.read_bytes()
    if kept["env_id"] != found.game.env_id or without_recipe(text) != without_recipe(found.text):
        return True
    return not resume and (text != found.text or contents(copy) != contents(found.path))


def refuse_mixture(found: FoundGame, folder: Path, resumed: dict[str, Any] | None) -> None:
    """Raise GameError if these rules aren't those of the run that is `resumed`, or of the games in its database."""
    by_the_old = "go on by the old rules with --resume and without --env-id, or give another folder with --data-dir"
    if resumed:
        raise GameError(
            f"the rules of {found.game.env_id} have changed since the run in {folder} began: {found.path} differs from the "
            f"run's copy {RunFolder(folder).rules / resumed['file']}; {by_the_old}"
        )
    for replay in RunFolder(folder).databases:
        played_by = read_stamp(replay, found.game.env_id)
        if rules_differ(played_by, found.stamp):
            raise GameError(
                f"the games in {replay} were played by other rules of {found.game.env_id} than those in {found.path}; "
                f"{by_the_old}"
            )


def files_of(rules: Path) -> list[Path]:
    """The files that belong to a game, beside the one with its rules."""
    if rules.name != RULES_FILE:
        return []
    parts = (rules.with_name(f"{part}.py") for part in PARTS)
    return [file for file in (*parts, *rules.parent.glob("*.csv")) if file.is_file()]


def contents(rules: Path) -> dict[str, bytes]:
    """What the files beside a game's rules hold, by their names."""
    return {file.name: file.read_bytes() for file in files_of(rules)}


def record_of(found: FoundGame) -> dict[str, Any]:
    """What `kept.json` says of a game."""
    return {"env_id": found.game.env_id, "file": found.path.name, "parameters": dict(found.parameters)}


def copied_beside(rules: Path, found: FoundGame) -> Path:
    """Make a folder with a copy of a game's files, beside `rules`, whose name it can take; it is complete or not there.

    Raises GameError if the copy can't be loaded, because it lacks a file that the rules read.
    """
    rules.parent.mkdir(parents=True, exist_ok=True)
    for leftover in rules.parent.glob(f"{COPYING}*"):  # of a process that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=COPYING, dir=rules.parent))
    try:
        write_bytes(new / found.path.name, found.text)
        for file in files_of(found.path):
            write_bytes(new / file.name, file.read_bytes())
        write_json(new / RECORD, record_of(found), indent=2, durable=True)
        new.chmod(0o755)
        require_loadable(new / found.path.name, found)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return new


def require_loadable(copy: Path, found: FoundGame) -> None:
    """Raise GameError if a copy of a game's rules can't be loaded from where it is."""
    try:
        load(str(copy), dict(found.parameters))
    except GameError as error:
        raise GameError(
            f"a run can't keep a copy of {found.path}, because the copy doesn't work: {error}; rules are one file, so "
            f"they can't read files of their own either; paste tables into it"
        ) from error
