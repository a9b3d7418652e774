"""Best play: what a solver is (`solver.py`), and the solver of a game (`solvers.py`).

`exhaustive.py` solves any small game by visiting all of its positions, with the kernels of `visit.py`. `scored_positions.py`
has test positions that a solver has scored.
"""
