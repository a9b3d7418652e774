"""How long and how hard the loop trains each game unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The settings of a run that depend on the game."""

    minutes: float
    simulations: int
    batch_size: int
    lr: float
    passes: float
    """How often each stored position is drawn on average before training waits for new ones."""
    checkpoint_interval: int
    """Steps between two published models."""
    network: str = "conv"
    width: int | None = None
    first_simulations: int | None = None
    gumbel: bool = False
    merge_repeats: bool = False
    random_openings: float = 0.9
    q_weight: float = 0.5
    average: float = 0.999
    # What follows no game of ours uses, for it was worth nothing to them (docs/log.md): for ablations, and other games.
    full_share: float = 1.0
    fast_simulations: int = 20
    window: int | None = None
    value_head: str = "scalar"


RECIPES = {
    "tictactoe": Recipe(
        minutes=1,
        simulations=100,
        network="mlp",
        width=256,
        batch_size=256,
        lr=0.003,
        passes=8,
        checkpoint_interval=200,
        merge_repeats=True,
    ),
    "connect4": Recipe(
        minutes=60,
        simulations=300,
        first_simulations=100,
        gumbel=True,
        width=256,
        batch_size=512,
        lr=0.002,
        passes=4,
        checkpoint_interval=200,
    ),
    "othello": Recipe(
        minutes=120,
        simulations=200,
        first_simulations=40,
        gumbel=True,
        width=192,
        batch_size=512,
        lr=0.002,
        passes=4,
        checkpoint_interval=200,
    ),
}


def recipe_of(env_id: str) -> Recipe:
    """The recipe of a game; one that has none of its own is trained like Connect 4."""
    return RECIPES.get(env_id, RECIPES["connect4"])
