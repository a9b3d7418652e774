"""Steps of AdamW along the gradient of the loss.

`torch_steps.py` says what takes steps, and does so by autograd, for any network on any device. On a CPU with our own
kernels: `gradient.py` and `heads.py` compute the gradient, `adamw.py` and `adamw_step.py` take the step. On a GPU with a
captured graph: `device_steps.py`, whose rows `device_batches.py` unpacks there.
"""
