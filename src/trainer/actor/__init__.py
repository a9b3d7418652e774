"""Self-play: games written to the replay database.

`moves.py` are the compiled kernels, `selfplay.py` plays the games of one thread, `crew.py` is the threads, `timed_model.py`
the model that they ask, `quantize.py` its twin in 8-bit integers, `actor.py` the process: the one writer, the statistics.
`python -m trainer.actor` starts it. Nothing here imports torch.
"""
