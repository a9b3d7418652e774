"""The weights of a narrow network as those of a wider one that answers the same (Net2WiderNet; Chen and others 2016).

What is new keeps its random weights, but nothing that was there listens to it: its weights towards the old units and towards
the heads are 0. Training changes these at once, because their gradient isn't 0. I inputs of a layer, R results.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from trainer.export.weights import Kind, Weights
from trainer.network import ConvStem, PolicyValueNetwork


def can_widen(kind: Kind, to: Kind) -> bool:
    """Whether a network of one kind can become one of another."""
    if kind.family not in ("mlp", "conv") or kind.width > to.width or kind.units > to.units:
        return False
    return kind != to and replace(kind, width=to.width, units=to.units) == to


def widened(weights: Weights, network: PolicyValueNetwork) -> Weights:
    """The weights of a narrower network, see `can_widen`, in the shapes of `network`, whose own weights fill the rest."""
    new: Weights = {name: values.clone() for name, values in network.state_dict().items()}
    stem = network.body[0]
    if isinstance(stem, ConvStem):
        narrow, wide = len(weights["body.0.conv.weight"]), stem.conv.out_channels
        beside = network.view.size - stem.board.size  # inputs of the hidden layer behind those of the filters
        places = (stem.size - beside) // wide
        layers = {
            "body.0.conv": torch.arange(stem.conv.in_channels),
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
