"""The kernels of a game: its rules, `rows.py`, and others that are compiled for it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from trainer.compile.linker import Linked, link
from trainer.games import complete, rows
from trainer.games.library import find_game
from trainer.games.library.requirements import COMPILED

CALLED = {"own": COMPILED}
"""The functions of a game's own file that other modules call compiled; others are plain Python."""


def link_kernels(
    env_id: str, *modules: ModuleType, warm_up: Callable[[Linked], object] | None = None, **named: ModuleType
) -> Linked:
    """Compiled versions of a game's complete `rules`, of `rows` and of further kernel modules, which can bind those two.

    They can also bind the constants of `library.FoundGame.constants`. For the rest see `trainer.compile.linker.link`.
    """
    found = find_game(env_id)
    found.require_unchanged()

    def prepare(linked: Linked) -> None:
        linked.rules.GAME, linked.rules.uncompiled = found.game, found.own
        if warm_up:
            warm_up(linked)

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
