"""Search over many games at once.

`search.py` is what others call, `selection.py` the constants it searches by, and `analysis.py` what is found out about a
position. The other files are compiled kernels: `tree.py` (memory), `transpositions.py` (positions found again),
`simulations.py` (down to the leaves and back), `puct.py` and `gumbel.py` (which move next, which answer), `priors.py`,
`policies.py` (how they are kept), `proofs.py` (the solver), `forced.py` (wins by force), `backup.py` and `cache.py`
(evaluations seen before).
"""

from trainer.search.search import KERNELS, GumbelResult, RootMoves, Search, SearchConfig

__all__ = ["KERNELS", "GumbelResult", "RootMoves", "Search", "SearchConfig"]
