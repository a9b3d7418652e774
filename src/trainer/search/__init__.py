"""Search over many games at once: `search.py` for others to call, the other files are its compiled kernels."""

from trainer.search.search import KERNELS, Evaluate, Prior, RootMoves, Search, SearchConfig, Values

__all__ = ["KERNELS", "Evaluate", "Prior", "RootMoves", "Search", "SearchConfig", "Values"]
