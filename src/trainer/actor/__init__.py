"""Self-play: games written to the replay database.

`moves.py` are the compiled kernels, `selfplay.py` plays the games of one thread, `crew.py` is the threads, `timed_model.py`
the model that they ask, `twins.py` puts a faster one in its place: one that adds up what is not 0 (`layers.py`) or one in
8-bit integers (`quantize.py`). `actor.py` is the process: the one writer, the
statistics. `python -m trainer.actor` starts it. Nothing here imports torch.
"""
