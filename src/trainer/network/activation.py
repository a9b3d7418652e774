"""What follows the layers of a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.settings.groups.network import Activation


class SquaredReLU(nn.Module):
    """The square of a ReLU (So et al. 2021, Primer)."""

    def forward(self, features: Tensor) -> Tensor:
        """[B, ...] to the same shape"""
        passed = torch.relu(features)
        return passed * passed  # not square(), which a GPU computes in float32 even in half precision


ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "squared-relu": SquaredReLU}
