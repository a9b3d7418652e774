"""The weights of a narrow network as those of a wider one that answers the same (Net2WiderNet; Chen and others 2016).

What is new keeps its random weights, but nothing that was there listens to it: its weights towards the old units and towards
the heads are 0. Training changes these at once, because their gradient isn't 0. I inputs of a layer, R results.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from trainer.export.stored import Weights
from trainer.network import ConvStem, NetworkSettings, PolicyValueNetwork


def can_widen(kind: NetworkSettings, to: NetworkSettings) -> bool:
    """Whether a network with these settings can become one with those."""
    narrow, wide = ((settings.width or 0, settings.units or 0) for settings in (kind, to))
    grows = narrow != wide and narrow[0] <= wide[0] and narrow[1] <= wide[1]
    return grows and kind.network in ("mlp", "conv") and replace(kind, width=to.width, units=to.units) == to


def widened(weights: Weights, network: PolicyValueNetwork) -> Weights:
    """The weights of a narrower network, see `can_widen`, in the shapes of `network`, whose own weights fill the rest."""
    new: Weights = {name: values.clone() for name, values in network.state_dict().items()}
    stem = network.body[0]
    if isinstance(stem, ConvStem):
        narrow, wide = len(weights["body.0.conv.weight"]), stem.conv.out_channels
        places = stem.places(stem.conv)
        layers = {
            **{f"body.0.{name}": torch.arange(conv.in_channels) for name, conv in stem.convolutions.items()},
            "body.1": torch.cat([torch.arange(narrow * places), torch.arange(wide * places, stem.size)]),
            "body.3.inner.0": torch.arange(len(weights["body.1.weight"])),
        }
    else:
        layers = {"body.0": torch.arange(network.view.size), "body.2": torch.arange(len(weights["body.0.weight"]))}
    layers |= dict.fromkeys(("policy", "value"), torch.arange(weights["policy.weight"].shape[1]))
    for name, columns in layers.items():
        put(weights[f"{name}.weight"], new[f"{name}.weight"], columns)
        new[f"{name}.bias"][: len(weights[f"{name}.bias"])] = weights[f"{name}.bias"]
    return new


def put(narrow: Tensor, wide: Tensor, columns: Tensor) -> None:
    """Write a layer's weights [R, I, ...] into the first rows of those of a wider layer; they see its inputs `columns` [I]
    alone."""
    rows = wide[: len(narrow)]
    rows.zero_()
    rows[:, columns] = narrow
