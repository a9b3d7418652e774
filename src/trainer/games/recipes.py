"""The recipe of a game: the defaults of the loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trainer.core.processes import available_cores
from trainer.games import part_of, rules_of
from trainer.games.library.parts import global_of
from trainer.settings.loop import LoopConfig

FALLBACK = "connect4"
"""A game without a recipe is learned like this one."""


def threads_with_gpu(cores: int) -> int:
    """Threads of self-play with a GPU: while one waits for it, another searches."""
    return 2 * cores


TOWER: dict[str, Any] = {
    "network": "residual",
    "width": 384,
    "units": None,
    "lines": 0,
    "blocks": 6,
    "activation": "relu",
    "batch_size": 2048,
    "lr": 0.002,
    "games": 512,
    "memory_gib": 8.0,
    "publish_seconds": 10.0,
    "threads": threads_with_gpu(available_cores()),
}
"""What a GPU changes in any recipe: a tower of 96 filters, and enough work at a time. Not measured yet (docs/gpu.md)."""


def recipe_of(env_id: str, gpu: bool = False) -> LoopConfig:
    """The recipe of a game, for a GPU or for the CPU. Raises GameError for an unknown game, or if it has a wrong recipe."""
    recipe = recipe_for_cpu(env_id)
    return replace(recipe, device="cuda", **TOWER) if gpu else recipe


def recipe_for_cpu(env_id: str) -> LoopConfig:
    """The recipe that the game has of its own, or that of the fallback. Raises as `recipe_of`."""
    rules_of(env_id)
    part = part_of(env_id, "recipe") or part_of(FALLBACK, "recipe")
    assert part is not None
    advice = "set it to a LoopConfig of trainer.settings.loop, as in RECIPE = LoopConfig(minutes=3)"
    recipe: LoopConfig = global_of(part, "RECIPE", lambda found: isinstance(found, LoopConfig), advice)
    return replace(recipe, env_id=env_id)


def changed(recipe: LoopConfig, **settings: Any) -> LoopConfig:
    """The recipe with some settings changed.

    Two settings change with others: if only `steps` is given there is no time limit, and if only `simulations` is given,
    searches don't grow.
    """
    if settings.get("steps") is not None and "minutes" not in settings:
        settings["minutes"] = None
    if "simulations" in settings and "first_simulations" not in settings:
        settings["first_simulations"] = None
    return replace(recipe, **settings)


def continued(run: LoopConfig, **settings: Any) -> LoopConfig:
    """The settings of a run that is resumed with some changed, as in `changed`.

    If its own number of simulations is given once more, nobody asks for another growth of searches.
    """
    if settings.get("simulations") == run.simulations:
        settings.setdefault("first_simulations", run.first_simulations)
    return changed(run, **settings)
