"""Players, which choose moves in many positions at once: `choose(positions, generators, played) -> actions`.

`base.py` says what a player is and has the random one; `network.py` asks a model, with or without a search; `minimax.py`
searches a few plies by the kernels in `alphabeta.py`, `rollouts.py` by random games and the kernels in `uct.py`;
`perfect.py` asks a solver; `engines/` asks another program, `function.py` a Python function; `player_name.py`
parses a player's name, and `named.py` makes the player.
"""

from trainer.players.base import RESIGNS, Player, RandomPlayer, sample
from trainer.players.function import Choose, FunctionPlayer
from trainer.players.minimax import MinimaxPlayer
from trainer.players.named import named_player, shown_models, told_apart
from trainer.players.network import NetworkPlayer, SearchPlayer, model_player
from trainer.players.perfect import PerfectPlayer
from trainer.players.player_name import PlayerName
from trainer.players.rollouts import RolloutPlayer

__all__ = [
    "RESIGNS",
    "Choose",
    "FunctionPlayer",
    "MinimaxPlayer",
    "NetworkPlayer",
    "PerfectPlayer",
    "Player",
    "PlayerName",
    "RandomPlayer",
    "RolloutPlayer",
    "SearchPlayer",
    "model_player",
    "named_player",
    "sample",
    "shown_models",
    "told_apart",
]
