"""Search over many games at once: `search.py` is what others call, `tree.py` and `cache.py` the compiled kernels below it."""

from trainer.mcts.search import Evaluate, RootMoves, Search, SearchConfig

__all__ = ["Evaluate", "RootMoves", "Search", "SearchConfig"]
