"""`python -m trainer.gtp`: a model as an engine that speaks GTP, for programs such as Sabaki, GoGui and Quarry.

`commands.py` has the commands, `session.py` the lines of the protocol.
"""
