"""Evaluators: they answer positions with a prior and a value. One file per kind.

`interface.py` says what an evaluator is and where an actor gets its newest one from; `uniform.py` knows only the rules.
`model.py` is what all models share; `onnx_file.py` runs a model file by ONNX Runtime; `half_precision.py` reads
files of half the size; `sparse.py` evaluates the same file by its active inputs. `acceleration.py` compares a faster
evaluator with the original before it plays; `loader.py` makes evaluators of a game's files; `answers.py` makes prior and
value of a network's outputs; `hot_reload.py` follows `latest.onnx`; `named_game.py` reads which game a file is for.
Nothing here imports torch.
"""
