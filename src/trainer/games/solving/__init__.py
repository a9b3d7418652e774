"""Best play: what a solver is (`solver.py`), the solver of a game (`solvers.py`), and test positions that one has scored.

`exhaustive.py` solves any small game by visiting all of its positions, with the kernels of `visit.py`.
"""
