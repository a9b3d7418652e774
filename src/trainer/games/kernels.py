"""The kernels of a game: its rules, `rows.py`, and others that are compiled for it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from trainer.compile.linker import Linked, link
from trainer.core.errors import GameError, TrainerError
from trainer.games import complete, rows
from trainer.games.library import find_game
from trainer.games.library.mistakes import mistake_in
from trainer.games.library.requirements import COMPILED
from trainer.games.position import Position

CALLED = {"own": COMPILED}
"""The functions of a game's own file that other modules call compiled; others are plain Python."""


def link_kernels(
    env_id: str, *modules: ModuleType, warm_up: Callable[[Linked], object] | None = None, **named: ModuleType
) -> Linked:
    """Compiled versions of a game's complete `rules`, of `rows` and of further kernel modules, which can bind those two.

    They can also bind the constants of `library.FoundGame.constants`. For the rest see `trainer.compile.linker.link`. Raises
    GameError if Numba refuses somebody's own rules, or a heuristic, in the warm-up.
    """
    found = find_game(env_id)
    found.require_unchanged()

    def prepare(linked: Linked) -> None:
        linked.rules.GAME, linked.rules.uncompiled = found.game, found.own
        if warm_up:
            warm_up(linked)

    try:
        return link(
            rows,
            *modules,
            constants=found.constants,
            warm_up=prepare,
            called=CALLED,
            own=found.own,
            rules=complete,
            **named,
        )
    except (TrainerError, IndexError):  # an index is out of bounds where bounds are checked
        raise
    except Exception as error:  # Numba raises what it likes for code that it does not know
        message = None if found.in_package else mistake_in(found, named.get("heuristic"), error)
        if message is None:
            raise
        raise GameError(message) from None  # Numba says the same in pages


def compiled_rules(env_id: str) -> ModuleType:
    """The complete rules of a game, for a `Position`: each function that it calls is compiled when this returns. Raises as
    `link_kernels` does."""

    def warm_up(linked: Linked) -> None:
        position = Position.first(linked.rules)
        for action in position.legal[:1]:
            position = position.play(action)
        _ = position.observation
        Position.from_bytes(linked.rules, position.to_bytes())

    rules: ModuleType = link_kernels(env_id, warm_up=warm_up).rules
    return rules
