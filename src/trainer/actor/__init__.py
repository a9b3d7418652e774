"""Self-play: games against oneself, written to the replay database.

`actor.py` is the process and `threads.py` its player threads; `memory.py` says how many games fit. `selfplay.py` plays the
games of one thread in lockstep, by the kernels in `moves.py` and `random_numbers.py`; `guarded.py` is the evaluator a thread
asks. `played.py` is a finished game, `episodes.py` its stored form, `sink.py` where games go, `recorder.py` what stores and
counts them. Nothing here imports torch.
"""
