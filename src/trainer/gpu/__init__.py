"""Networks on a GPU: everything of the package that needs torch to evaluate a model.

`choice.py` is what the commands call. `devices.py` chooses a device and says what is wrong with it; `launchers.py` runs a
network of torch on batches of one size, on a GPU as a captured graph; `slots.py` keeps the few networks that are in use;
`evaluator.py` is an evaluator made of these; `copies.py` copies its batches. torch is imported only if a device other than
the CPU is asked for.
"""
