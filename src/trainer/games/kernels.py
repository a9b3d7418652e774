"""The kernels of a game: its rules, `rows.py`, and others that are compiled for it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from trainer.compile.linker import Linked, link
from trainer.games import game_of, rows, rules_of


def link_kernels(
    env_id: str, *modules: ModuleType, warm_up: Callable[[Linked], object] | None = None, **named: ModuleType
) -> Linked:
    """Compiled versions of a game's `rules`, of `rows` and of further kernel modules, which can bind those two.

    They can also bind the game's sizes: NUM_CELLS, NUM_ACTIONS, FLAG_WORDS, and SUDDEN_WINS, whether its rules have
    `wins_next`. For the rest see `trainer.compile.linker.link`.
    """
    game, rules = game_of(env_id), rules_of(env_id)
    sizes = {
        "NUM_CELLS": game.num_cells,
        "NUM_ACTIONS": game.num_actions,
        "FLAG_WORDS": game.flag_words,
        "SUDDEN_WINS": hasattr(rules, "wins_next"),
    }
    return link(rows, *modules, constants=sizes, warm_up=warm_up, rules=rules, **named)
