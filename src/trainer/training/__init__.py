"""The parts of a training run.

`learner.py` takes the steps: with autograd, with our own kernels for the loss's gradient (`gradient.py`, `heads.py`) and
AdamW (`adamw.py`, `adamw_step.py`), or on a GPU (`device_steps.py`, whose rows `device_batches.py` unpacks there). `rows.py`
waits for new rows, `schedule.py` says how far the run is, `publish.py` puts a model where actors find it, `checkpoint.py`
stores a run, `divergence.py` explains a run that broke, and `tensorboard.py` copies the losses and evaluations.
"""
