"""Search over many games at once: `search.py` for others to call, the other files are its compiled kernels."""

from trainer.search.search import KERNELS, RootMoves, Search, SearchConfig

__all__ = ["KERNELS", "RootMoves", "Search", "SearchConfig"]
