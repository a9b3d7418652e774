"""Search over many games at once: `search.py` for others to call, `tree.py` and `cache.py` its compiled kernels."""

from trainer.search.search import Evaluate, Prior, RootMoves, Search, SearchConfig, Values

__all__ = ["Evaluate", "Prior", "RootMoves", "Search", "SearchConfig", "Values"]
