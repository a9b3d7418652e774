"""The policy-value network and its loss.

`network.py` is the whole: `view.py` turns an observation to the mover's side, `planes.py` makes images of it, a body of one
of the families follows (`tower.py` has the residual one), and two heads. `loss.py` is what training minimizes.
"""

from trainer.network.loss import Loss, alphazero_loss, policy_loss
from trainer.network.network import PolicyValueNetwork, create_network, default_width
from trainer.network.planes import AllPlanes, ConvStem, StonePlanes
from trainer.network.tower import PooledBias, Residual, SqueezeExcite
from trainer.network.view import MoverView
from trainer.settings.groups.learning import Family

__all__ = [
    "AllPlanes",
    "ConvStem",
    "Family",
    "Loss",
    "MoverView",
    "PolicyValueNetwork",
    "PooledBias",
    "Residual",
    "SqueezeExcite",
    "StonePlanes",
    "alphazero_loss",
    "create_network",
    "default_width",
    "policy_loss",
]
