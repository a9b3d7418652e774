"""What to say when training diverged."""

from __future__ import annotations

import numpy as np

from trainer.core.files import atomic_write
from trainer.replay import Batch
from trainer.run.training_statistics import TrainingPoint
from trainer.settings.trainer import TrainerConfig


def explain_divergence(point: TrainingPoint, batch: Batch, config: TrainerConfig, published: bool) -> str:
    """Describe that the loss or the weights are NaN or infinite, and save the batch of the step at which that was noticed.

    The step that made them so may be an earlier one: weights are only looked at when a model is due, and on a GPU the loss
    is only read when something reports it. `published`: whether this run has published a model.
    """
    path = config.stats.parent / f"bad-batch-step-{point.step}.npz"
    good = "the last published model is good" if published else "no model was published"
    where = f"is in {path}"
    try:
        with atomic_write(path) as file:
            np.savez(file, **vars(batch))
    except OSError as error:
        where = f"could not be saved ({error.strerror})"
    return (
        f"the loss or the weights at step {point.step} are not finite: the loss is {point.total_loss} (policy "
        f"{point.policy_loss}, value {point.value_loss}); {good} and the batch {where}; "
        f"start again with a smaller --lr or --grad-clip, and without --resume: training begins with the stored games"
    )
