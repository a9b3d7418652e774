"""Search over many games at once: `search.py` for others to call, `tree.py` and `cache.py` its compiled kernels."""

from trainer.mcts.search import Evaluate, RootMoves, Search, SearchConfig

__all__ = ["Evaluate", "RootMoves", "Search", "SearchConfig"]
