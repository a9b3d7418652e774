"""The policy-value network and its loss.

`base.py` says what a network is: `view.py` turns an observation to the mover's side, and what follows answers. `network.py`
has those of this package: `planes.py` makes images, a body of one of the families follows (`tower.py` has the residual one),
and two heads. `activation.py` has what follows each layer. `file.py` has a network of one's own. `chosen.py` takes one or
the other. `loss.py` is what training minimizes.
"""

from trainer.network.activation import ACTIVATIONS, SquaredReLU
from trainer.network.base import MoverNetwork
from trainer.network.chosen import new_network
from trainer.network.file import NetworkFile, OwnNetwork
from trainer.network.loss import Loss, alphazero_loss, policy_loss
from trainer.network.network import PolicyValueNetwork, create_network, default_width
from trainer.network.planes import AllPlanes, ConvStem, StonePlanes
from trainer.network.tower import PooledBias, Residual, SqueezeExcite
from trainer.network.view import MoverView
from trainer.settings.groups.learning import Family

__all__ = [
    "ACTIVATIONS",
    "AllPlanes",
    "ConvStem",
    "Family",
    "Loss",
    "MoverNetwork",
    "MoverView",
    "NetworkFile",
    "OwnNetwork",
    "PolicyValueNetwork",
    "PooledBias",
    "Residual",
    "SquaredReLU",
    "SqueezeExcite",
    "StonePlanes",
    "alphazero_loss",
    "create_network",
    "default_width",
    "new_network",
    "policy_loss",
]
