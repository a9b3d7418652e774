"""The games that this process knows."""

from __future__ import annotations

from trainer.core.errors import GameError
from trainer.games.library.found_game import FoundGame
from trainer.games.library.load import load
from trainer.games.library.names import ENV_IDS, is_installed, is_path, place_in, split_name

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
    return [*ENV_IDS, *(env_id for env_id in _games if env_id not in ENV_IDS)]
