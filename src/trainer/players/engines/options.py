"""The options of a UCI engine: what it says of them, and whether a line of its command can set one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trainer.core.errors import ConfigError, EngineError

OFFER = re.compile(r"option name (?P<name>.+?) type (?P<kind>\S+)(?P<rest>.*)")
SETTING = re.compile(r"setoption name (?P<name>.+?)(?: value(?: (?P<value>.*))?)?")
VARIANT = "UCI_Variant"
"""The option that says which game is played. A file of variants, which another option may load, adds values to it."""


def require_settings(lines: Sequence[str]) -> None:
    """Raise ConfigError unless the lines that follow an engine's command set options, and at most one is a `go ...`."""
    searches = [line for line in lines if line.split()[:1] == ["go"]]
    if len(searches) > 1:
        raise ConfigError(
            f"the command of the engine has more than one line 'go ...', {' and '.join(map(repr, searches))}; keep only "
            f"one of them"
        )
    for line in lines:
        if line not in searches and not SETTING.fullmatch(line):
            raise ConfigError(
                f"the line {line!r} of the engine's command is neither a 'setoption name ... value ...' nor a 'go ...'; "
                f"correct it or leave it out"
            )


def require_offered(setting: str, answer: Sequence[str], engine: str) -> None:
    """Raise EngineError if a line `setoption ...` would have no effect, because engines ignore such lines silently.

    `answer`: the engine's lines in answer to `uci`, which list its options. `engine`: its command, for the message.
    """
    wanted = SETTING.fullmatch(setting)
    assert wanted  # require_settings has seen it
    listed = (OFFER.fullmatch(" ".join(line.split())) for line in answer)
    offers = {offer["name"].lower(): offer for offer in listed if offer}
    offer = offers.get(wanted["name"].lower())
    if offer is None:
        names = ", ".join(offer["name"] for offer in offers.values())
        raise EngineError(f"the engine {engine!r} has no option {wanted['name']!r}; it has {names or 'none'}")
    if not takes(offer, wanted["value"]):
        raise EngineError(
            f"the engine {engine!r} doesn't take {setting!r}; correct the value: the engine says {offer[0]!r}"
        )


def takes(offer: re.Match[str], value: str | None) -> bool:
    """Whether an option that is offered can have this value."""
    match offer["kind"]:
        case "check":
            return value in ("true", "false")
        case "combo" if offer["name"] != VARIANT:
            _, *values = offer["rest"].lower().split(" var ")
            return value is not None and value.lower() in values
        case "spin":
            least, most = (re.search(rf" {end} (-?\d+)", offer["rest"]) for end in ("min", "max"))
            return (
                value is not None
                and re.fullmatch(r"-?\d+", value) is not None
                and (least is None or int(least[1]) <= int(value))
                and (most is None or int(value) <= int(most[1]))
            )
    return True
