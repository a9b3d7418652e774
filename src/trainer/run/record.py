"""What a run was started with: `run.json`, with one entry per command (`loop`, `train`), so that `--resume` needs no flags.

Paths are stored relative to the run's folder if they lie in it, so a folder can be moved.
"""

from __future__ import annotations

import time
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from trainer.core.errors import ConfigError
from trainer.core.json_values import read_json_object, write_json
from trainer.core.locks import locked
from trainer.run.provenance import commit, processor, versions
from trainer.settings.base import fixed_names, takes_path

Config = TypeVar("Config")

LOOP, TRAIN = "loop", "train"
"""The commands that have an entry."""
MADE_WITH = ("versions", "commit", "processor", "started")
"""What an entry says about a start of its command, apart from the settings."""


def write_record(path: Path, command: str, config: Any, resumed: bool = False) -> None:
    """Store the settings of `command` in run.json at `path`, beside those of other commands.

    `resumed`: it goes on with the run that the file describes, so what that was made with is kept in a list, `earlier`.
    """
    with locked(path):
        content = read_json_object(path) or {}
        content[command] = {
            "settings": plain(config, path.parent),
            "seed": config.seed,
            "versions": versions(),
            "commit": commit(),
            "processor": processor(),
            "started": int(time.time()),
            "earlier": earlier_starts(content.get(command)) if resumed else [],
        }
        write_json(path, content, indent=2, durable=True)


def earlier_starts(entry: Any) -> list[Any]:
    """The starts in an entry of run.json, oldest first; none if there is no entry that can be read."""
    if not isinstance(entry, dict):
        return []
    before = entry.get("earlier")  # an earlier version wrote none
    return [*(before if isinstance(before, list) else []), {name: entry.get(name) for name in MADE_WITH}]


def recorded_settings(path: Path, command: str, config: type[Config]) -> Config | None:
    """The settings of `command` in run.json at `path`; None if it holds none. Raises ConfigError for a damaged file.

    A setting that the record lacks, because an earlier version wrote it, has its default.
    """
    if not path.exists():
        return None
    content = read_json_object(path)
    if content is not None and command not in content:
        return None
    entry = (content or {}).get(command)
    stored = entry.get("settings") if isinstance(entry, dict) else None
    if not isinstance(stored, dict):
        raise ConfigError(f"{path} can't be read as the settings of a run; move it away and repeat the flags")
    hints = get_type_hints(config)
    values = {}
    for field in fields(config):  # type: ignore[arg-type]
        if field.name in stored:
            value = stored[field.name]
            values[field.name] = placed(value, path.parent) if takes_path(hints[field.name]) else value
        elif field.default is MISSING:
            raise ConfigError(f"{path} lacks the setting {field.name}; move it away and repeat the flags")
    try:
        return config(**values)
    except ConfigError as error:
        raise ConfigError(
            f"{path} can't be read as the settings of a run ({error}); move it away and repeat the flags"
        ) from error


def recorded_game(path: Path, command: str) -> str | None:
    """The env_id of the game that `command` was started with by run.json at `path`; None if the file doesn't say it."""
    try:
        entry = (read_json_object(path) or {}).get(command)
    except OSError:
        return None
    settings = entry.get("settings") if isinstance(entry, dict) else None
    env_id = settings.get("env_id") if isinstance(settings, dict) else None
    return env_id if isinstance(env_id, str) else None


def require_same_run(path: Path, command: str, config: Any) -> None:
    """Raise ConfigError if `config` continues the run at `path` with another value of a setting that is fixed."""
    stored = recorded_settings(path, command, type(config))
    if stored is None:
        return
    for name in fixed_names(config):
        ours, theirs = getattr(config, name), getattr(stored, name)
        if ours != theirs:
            flag = name.replace("_", "-")
            raise ConfigError(
                f"--{flag} is {ours}, but the run in {path.parent} has {theirs} ({path.name}); leave the flag out to resume "
                f"that run, or start a new one without --resume"
            )


def plain(config: Any, folder: Path) -> dict[str, Any]:
    """The fields of a dataclass as JSON values; paths in `folder` relative to it, others absolute."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: portable(value, folder) for name, value in values.items()}


def portable(value: Any, folder: Path) -> Any:
    """A path, also within a tuple, as text: relative to `folder` if it lies in it, otherwise absolute. Else the value."""
    if isinstance(value, tuple):
        return [portable(one, folder) for one in value]
    if not isinstance(value, Path):
        return value
    path, folder = value.absolute(), folder.absolute()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def placed(value: Any, folder: Path) -> Any:
    """The inverse of `portable`, for a setting that takes paths."""
    if isinstance(value, list):
        return tuple(placed(one, folder) for one in value)
    return folder / value if isinstance(value, str) else value
