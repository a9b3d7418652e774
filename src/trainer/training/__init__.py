"""The parts of a training run.

`beginning.py` finds the checkpoint of a run that is resumed, and sets an earlier run aside once there are rows.
`run_state.py` is a run so far, `schedule.py` says how far it is and what is due, and `checkpoint.py` stores it. `waiting.py`
waits for a database, `rows.py` for new rows. `learner.py` takes the steps, by autograd or as in `steps/`, and
`divergence.py` explains a run that broke. `output.py` writes what was learned: `publish.py` puts a model where actors find
it, and `tensorboard.py` copies the losses and evaluations.
"""
