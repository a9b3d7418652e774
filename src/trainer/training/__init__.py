"""The parts of a training run.

`run_state.py` is a run so far and its files. `learner.py` takes the steps, by autograd or as in `steps/`. `rows.py` waits
for new rows, `schedule.py` says how far the run is, `publish.py` puts a model where actors find it, `checkpoint.py` stores
a run, `divergence.py` explains a run that broke, and `tensorboard.py` copies the losses and evaluations.
"""
