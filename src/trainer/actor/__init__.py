"""Self-play: games written to the replay database.

`moves.py` are the compiled kernels, `selfplay.py` plays the games of one thread, `actor.py` is the process: threads, the
one writer, the statistics. `python -m trainer.actor` starts it. Nothing here imports torch.
"""
