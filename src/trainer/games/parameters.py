"""Parameters of a game, such as the size of its board."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from trainer.compile.source import DECLARED, GIVEN
from trainer.core.errors import GameError


@dataclass(frozen=True)
class Parameter:
    """What a rules module declares."""

    name: str
    default: int
    least: int
    most: int


def parameter(name: str, default: int, *, least: int, most: int) -> int:
    """The value of a parameter: an integer that `hex:size=9` sets, or else the default.

    Call it at the top of a rules module: `SIZE = parameter("size", 7, least=2, most=11)`. Raises GameError for a value
    outside `least` to `most`.
    """
    module = sys._getframe(1).f_globals
    module.setdefault(DECLARED, []).append(Parameter(name, default, least, most))
    value: int = module.get(GIVEN, {}).get(name, default)
    if not least <= value <= most:
        raise GameError(f"{name}={value} is out of range; {name} is an integer from {least} to {most}")
    return value


def parsed(stated: str, name: str) -> dict[str, int]:
    """The parameters that the name of a game states: of `size=9,swap=0`, {"size": 9, "swap": 0}.

    Raises GameError for anything else.
    """
    pairs = [re.fullmatch(r"([A-Za-z_]\w*)=(-?[0-9]{1,9})", pair) for pair in stated.split(",")]
    parameters = {pair[1]: int(pair[2]) for pair in pairs if pair}
    if len(parameters) < len(pairs):
        raise GameError(
            f"{stated!r} in the game {name!r} is not a list of parameters; write each one once, as name=integer, with "
            f"commas and no blanks between them: hex:size=9"
        )
    return parameters
