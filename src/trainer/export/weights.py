"""A network of torch from a model file: its weights, and what kind of network it is.

Of the networks of this package the names and shapes of the weights show the kind, of one's own the file's metadata.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from onnx import numpy_helper
from torch import Tensor

from trainer.core.errors import ModelError
from trainer.evaluators.half_precision import graph_of
from trainer.evaluators.sparse import squared_relus
from trainer.game_config import metadata_of
from trainer.games.base import Game
from trainer.games.layout import layout_of
from trainer.network import MoverNetwork, NetworkFile, OwnNetwork, PolicyValueNetwork
from trainer.settings.groups.learning import Activation, Family, Pooling

Weights = dict[str, Tensor]
"""By their names in the network's `state_dict`, on the CPU. Of one's own network there may be constants among them."""

FILE_STAMP = "network_file"
"""The entry of a model's metadata with the hash of the file of its network."""


@dataclass(frozen=True)
class OwnKind:
    """What the settings of a network of one's own were."""

    file: NetworkFile
    width: int
    blocks: int


@dataclass(frozen=True)
class Kind:
    """What the settings of a network of this package were."""

    family: Family
    width: int
    blocks: int
    """Of a residual tower; 0 for another family."""
    pooling: Pooling = "none"
    """Of a residual tower."""
    activation: Activation = "relu"
    units: int = 0
    """Of a conv's hidden layers; 0 for another family."""


def weights_of(content: bytes) -> Weights:
    """The weights in a model file of this package, which has them under the network's own names."""
    graph = graph_of(content)
    return {
        tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
        for tensor in graph.initializer
        if re.fullmatch(r"(body|policy|value)\..*(weight|bias)|inner\..*", tensor.name)
    }


def activation_of(content: bytes) -> Activation:
    """What follows the layers of the network in a model file of this package."""
    return "squared-relu" if squared_relus(graph_of(content)) else "relu"


def kind_of(weights: Weights, activation: Activation) -> Kind:
    """The settings of a network with these weights. Raises ModelError if they are of no family of this package."""
    blocks = {found[1] for name in weights if (found := re.match(r"body\.(\d+)\.inner\.1\.weight", name))}
    if "body.0.conv.weight" in weights:
        return Kind("conv", len(weights["body.0.conv.weight"]), 0, "none", activation, len(weights["body.1.weight"]))
    if blocks:
        dense = max((name for name in weights if re.fullmatch(r"body\.\d+\.weight", name)), key=number_of)
        names = " ".join(weights)
        pooling: Pooling = "squeeze" if ".squeeze." in names else "bias" if ".bias.weight" in names else "none"
        return Kind("residual", len(weights[dense]), len(blocks), pooling, activation)
    if "body.0.weight" in weights:
        return Kind("mlp", len(weights["body.0.weight"]), 0, "none", activation)
    raise ModelError("its weights aren't named as those of a network of this package")


def described(network: OwnNetwork) -> dict[str, str]:
    """What the metadata of a model states of a network of one's own, for `own_kind`."""
    return {
        FILE_STAMP: network.file.stamp,
        "network_width": str(network.width),
        "network_blocks": str(network.blocks),
    }


def own_kind(metadata: Mapping[str, str], file: NetworkFile | None) -> OwnKind | None:
    """The settings that a model's metadata states for a network of one's own; None for a network of this package.

    `file`: the one that makes it. Raises ModelError if the model needs another one.
    """
    stamp = metadata.get(FILE_STAMP)
    if stamp is None:
        return None
    if file is None:
        raise ModelError("its network is that of a Python file; name the file with --network-file")
    if file.stamp != stamp:
        raise ModelError(
            f"its network is that of a Python file with the hash {stamp}, and --network-file {file.path} has {file.stamp}"
        )
    return OwnKind(file, int(metadata["network_width"]), int(metadata["network_blocks"]))


def number_of(name: str) -> int:
    """The place of a module in the body."""
    return int(name.split(".")[1])


def empty_network(kind: Kind | OwnKind, game: Game) -> MoverNetwork:
    """A network of this kind, to be filled with weights."""
    metadata, layout = metadata_of(game), layout_of(game)
    if isinstance(kind, OwnKind):
        return OwnNetwork(kind.file, metadata, layout, kind.width, kind.blocks)
    shape = (kind.blocks, kind.pooling, kind.activation, kind.units or None)
    return PolicyValueNetwork(metadata, kind.family, kind.width, layout, *shape)


def fill(network: MoverNetwork, weights: Weights) -> None:
    """Copy weights into a network on any device, in its own type. Raises ModelError if they don't fit."""
    if isinstance(network, OwnNetwork) and weights:
        # A file has the weights that the answers depend on, and constants that are no part of the state.
        state = network.state_dict()
        weights = state | {name: values for name, values in weights.items() if name in state}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        if not str(error).startswith("Error(s) in loading state_dict"):
            raise  # of the device
        raise ModelError(f"its weights are of another network: {' '.join(str(error).split())}") from error
