"""The games that this process knows."""

from __future__ import annotations

from pathlib import Path

from trainer.core.errors import GameError
from trainer.games.library.found_game import FoundGame
from trainer.games.library.load import load
from trainer.games.library.names import ENV_IDS, is_installed, is_path, place_in, split_name

_named: dict[str, FoundGame] = {}
"""The games of this process as they were read, by the names that were used for them; paths are absolute."""
_games: dict[str, FoundGame] = {}
"""What this process means by their env_ids: it may be a run's copy of a game that was read elsewhere."""


def find_game(name: str) -> FoundGame:
    """The game of a name, or of an env_id that this process has seen.

    Raises GameError if there is none, or if the file of a name has changed since this process read it.
    """
    if name in _games:
        return _games[name]
    key = absolute(name)
    found = _named.get(key) or load(*split_name(name))
    for earlier in tuple(_named.values()):  # also with other parameters; another thread may add to them
        if earlier.path == found.path:
            earlier.require_unchanged()
    env_id = found.game.env_id
    known = _games.setdefault(env_id, found)
    if known.path != found.path and known.stamp != found.stamp:
        raise GameError(f"{found.path} and {known.path} both call their game {env_id}; give one of them another env_id")
    _named[key] = found
    return known


def adopt(name: str) -> FoundGame:
    """The game of a name, which from now on is what this process means by its env_id. Raises GameError."""
    found = load(*split_name(name))
    _named[absolute(name)] = _games[found.game.env_id] = found
    return found


def absolute(name: str) -> str:
    """A name that means the same after this process has changed its folder."""
    return str(Path(name).absolute()) if is_path(name) else name


def has_rules(name: str) -> bool:
    """Whether there are rules for a name; False only for a plain word that no package has a game for."""
    return is_path(place_in(name)[0]) or name in _games or is_installed(name)


def is_known(env_id: str) -> bool:
    """Whether this is the env_id of a game of this package, or of one that was named to this process. Loads nothing."""
    return env_id in _games or env_id in ENV_IDS


def is_available(env_id: str) -> bool:
    """Whether a game is known, or one of this package with parameters, which is then loaded. Runs no rules from elsewhere.

    This is for the names in the files of one's own runs, not for those in requests: each one is loaded, and kept.
    """
    if is_known(env_id) or env_id.partition(":")[0] not in ENV_IDS:
        return is_known(env_id)
    try:
        return place_in(env_id)[0] in ENV_IDS and find_game(env_id).game.env_id == env_id
    except GameError:
        return False


def known_games() -> list[str]:
    """The env_ids of this package's games, and of those that were named to this process."""
    # a copy, because another thread may add to them
    return [*ENV_IDS, *(env_id for env_id in tuple(_games) if env_id not in ENV_IDS)]
