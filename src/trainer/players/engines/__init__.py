"""Players that are other programs, called engines: `gtp.py` and `uci.py` speak with them, `process.py` runs them.

`game.py` puts moves into an engine's words, and finds the move that it means; `options.py` checks the options of UCI
engines.
"""

from trainer.players.engines.gtp import GtpPlayer
from trainer.players.engines.uci import UciPlayer, own_go

__all__ = ["GtpPlayer", "UciPlayer", "own_go"]
