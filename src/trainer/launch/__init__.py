"""The loop at work on this machine.

`defaults.py` has the settings that a loop goes by where none are given, and `preparation.py` gets the folder of a run ready.
`local.py` starts and ends the processes (`child.py`). `watch.py` shows their progress (`summary.py`) and has the newest
models evaluated (`evaluations.py`).
"""
