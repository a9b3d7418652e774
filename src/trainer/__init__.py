"""Train, measure and play AlphaZero-style agents for board games.

    import trainer

    model = trainer.load_model("data/tictactoe/models/latest.onnx")
    position = trainer.new_position("tictactoe")
    print(model.best_move(position, simulations=100))

The names below are loaded when they are first used, so importing the package is quick and a player never pays for torch.
docs/api.md explains them, docs/architecture.md the folders.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trainer.api import Model, MoveChoice, learn, load_model, new_position, play_match, self_play
    from trainer.core.errors import TrainerError
    from trainer.export import Exporter
    from trainer.game_config import load_game_config
    from trainer.games import ENV_IDS, game_of
    from trainer.games.position import Position
    from trainer.games.positions import Positions
    from trainer.games.recipes import recipe_of
    from trainer.measure.match import Match
    from trainer.network import NetworkSettings, PolicyValueNetwork, create_network
    from trainer.replay import ReplayBuffer
    from trainer.run.actor_stats import ActorStats
    from trainer.search import GumbelResult, Search, SearchConfig
    from trainer.search.analysis import Analysis, MoveAnalysis
    from trainer.settings.actor import ActorConfig
    from trainer.settings.loop import LoopConfig
    from trainer.settings.trainer import TrainerConfig
    from trainer.trainer import Trainer
    from trainer.training.publish import Retention, publish

_HOMES = {
    "trainer.api": ("Model", "MoveChoice", "learn", "load_model", "new_position", "play_match", "self_play"),
    "trainer.core.errors": ("TrainerError",),
    "trainer.export": ("Exporter",),
    "trainer.game_config": ("load_game_config",),
    "trainer.games": ("ENV_IDS", "game_of"),
    "trainer.games.position": ("Position",),
    "trainer.games.positions": ("Positions",),
    "trainer.games.recipes": ("recipe_of",),
    "trainer.measure.match": ("Match",),
    "trainer.network": ("NetworkSettings", "PolicyValueNetwork", "create_network"),
    "trainer.replay": ("ReplayBuffer",),
    "trainer.run.actor_stats": ("ActorStats",),
    "trainer.search": ("GumbelResult", "Search", "SearchConfig"),
    "trainer.search.analysis": ("Analysis", "MoveAnalysis"),
    "trainer.settings.actor": ("ActorConfig",),
    "trainer.settings.loop": ("LoopConfig",),
    "trainer.settings.trainer": ("TrainerConfig",),
    "trainer.trainer": ("Trainer",),
    "trainer.training.publish": ("Retention", "publish"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ENV_IDS",
    "ActorConfig",
    "ActorStats",
    "Analysis",
    "Exporter",
    "GumbelResult",
    "LoopConfig",
    "Match",
    "Model",
    "MoveAnalysis",
    "MoveChoice",
    "NetworkSettings",
    "PolicyValueNetwork",
    "Position",
    "Positions",
    "ReplayBuffer",
    "Retention",
    "Search",
    "SearchConfig",
    "Trainer",
    "TrainerConfig",
    "TrainerError",
    "create_network",
    "game_of",
    "learn",
    "load_game_config",
    "load_model",
    "new_position",
    "play_match",
    "publish",
    "recipe_of",
    "self_play",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
