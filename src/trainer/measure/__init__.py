"""Measuring how strong a player is.

`evaluation.py` is the work of the evaluator command and `ladder.py` that of the ladder; `progress.py` evaluates a model
of a running loop, and `anchor.py` rates it against an earlier one. They use `match.py` (games from `openings.py`),
`move_quality.py` (wrong moves in solved positions), `lines.py` (every line of play of a tiny game), `intervals.py` and
`elo.py`. `report.py` and `plot.py` show the results. `make_positions.py` is the command that makes the solved positions
of Connect 4 (`connect4_positions.py`). No torch here.
"""
