"""The policy-value network and its loss.

`base.py` says what a network is: `view.py` turns an observation to the mover's side, and what follows answers.
`policy_value.py` has those of this package: `planes.py` makes images, a body of one of the families follows, and two heads.
A conv begins with `stem.py`; `tower.py` is a body of its own, made of `blocks.py`. `activation.py` has what follows each
layer. `file.py` has a custom network. `chosen.py` takes one or the other. `loss.py` is what training minimizes.
"""

from trainer.network.activation import ACTIVATIONS, SquaredReLU
from trainer.network.base import MoverNetwork
from trainer.network.blocks import PooledBias, Residual, SqueezeExcite
from trainer.network.chosen import new_network
from trainer.network.file import CustomNetwork, NetworkFile
from trainer.network.loss import Loss, MoverBatch, alphazero_loss, policy_loss
from trainer.network.planes import AllPlanes, StonePlanes
from trainer.network.policy_value import PolicyValueNetwork, create_network, default_width
from trainer.network.stem import ConvStem
from trainer.network.tower import ResidualTower
from trainer.network.view import MoverView
from trainer.settings.groups.network import Family, NetworkSettings

__all__ = [
    "ACTIVATIONS",
    "AllPlanes",
    "ConvStem",
    "CustomNetwork",
    "Family",
    "Loss",
    "MoverBatch",
    "MoverNetwork",
    "MoverView",
    "NetworkFile",
    "NetworkSettings",
    "PolicyValueNetwork",
    "PooledBias",
    "Residual",
    "ResidualTower",
    "SquaredReLU",
    "SqueezeExcite",
    "StonePlanes",
    "alphazero_loss",
    "create_network",
    "default_width",
    "new_network",
    "policy_loss",
]
