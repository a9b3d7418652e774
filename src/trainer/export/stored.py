"""A network as a model file has it, and one of torch with its weights.

Of the networks of this package the names and shapes of the weights show the kind, of a custom one the file's metadata.
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
from trainer.evaluators.half_precision import parsed_model
from trainer.evaluators.sparse import squared_relus
from trainer.game_config import metadata_of
from trainer.games.base import Game
from trainer.games.layout import layout_of
from trainer.network import CustomNetwork, MoverNetwork, NetworkFile, PolicyValueNetwork
from trainer.run.model_contract import ARCHITECTURE, KIND, NETWORK_BLOCKS, NETWORK_STAMP, NETWORK_WIDTH
from trainer.settings.groups.network import Activation, NetworkSettings, Pooling

Weights = dict[str, Tensor]
"""By their names in the network's `state_dict`, on the CPU. Of a custom network there may be constants among them."""


@dataclass(frozen=True)
class CustomKind:
    """What the settings of a custom network were."""

    file: NetworkFile
    width: int
    blocks: int


@dataclass(frozen=True)
class StoredNetwork:
    """What a model file says about its network."""

    weights: Weights
    activation: Activation
    """What follows each layer of a network of this package."""
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, content: bytes) -> StoredNetwork:
        """From the bytes of a file of this package, which has weights under the network's own names."""
        model = parsed_model(content)
        weights = {
            tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
            for tensor in model.graph.initializer
            if re.fullmatch(r"(body|policy|value)\..*(weight|bias)|inner\..*", tensor.name)
        }
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        return cls(weights, "squared-relu" if squared_relus(model.graph) else "relu", metadata)

    def kind(self, file: NetworkFile | None) -> NetworkSettings | CustomKind:
        """The settings of the network; `file` makes the networks that aren't of this package.

        Raises ModelError if the network needs another file, or is of no family of this package.
        """
        stamp = self.metadata.get(NETWORK_STAMP)
        if stamp is None:
            return self.settings
        if file is None:
            raise ModelError("its network is that of a Python file; name the file with --network-file")
        if file.stamp != stamp:
            raise ModelError(
                f"its network is that of a Python file with the hash {stamp}, and --network-file {file.path} has "
                f"{file.stamp}"
            )
        return CustomKind(file, int(self.metadata[NETWORK_WIDTH]), int(self.metadata[NETWORK_BLOCKS]))

    @property
    def settings(self) -> NetworkSettings:
        """The settings of a network of this package, as its `settings` has them. Raises ModelError for another network."""
        weights, activation = self.weights, self.activation
        if self.metadata.get(KIND, ARCHITECTURE) != ARCHITECTURE:
            raise ModelError(f"its network is a {self.metadata[KIND]}, which isn't a network of this package")
        blocks = {found[1] for name in weights if (found := re.match(r"body\.0\.tower\.(\d+)\.inner\.1\.weight", name))}
        dense = sorted((name for name in weights if re.fullmatch(r"body\.\d+\.weight", name)), key=number_of)
        if dense and "body.0.conv.weight" in weights:
            filters, units = len(weights["body.0.conv.weight"]), len(weights[dense[0]])
            lines = len(weights.get("body.0.rows.weight", ()))
            return NetworkSettings("conv", filters, units, activation=activation, lines=lines)
        if blocks:
            names = " ".join(weights)
            pooling: Pooling = "squeeze" if ".squeeze." in names else "bias" if ".bias.weight" in names else "none"
            width = len(weights["body.0.dense.weight"])
            return NetworkSettings("residual", width, blocks=len(blocks), pooling=pooling, activation=activation)
        if "body.0.weight" in weights:
            return NetworkSettings("mlp", len(weights["body.0.weight"]), activation=activation)
        raise ModelError("its weights aren't named as those of a network of this package")


def described(network: CustomNetwork) -> dict[str, str]:
    """What the metadata of a model states of a custom network, for `StoredNetwork.kind`."""
    return {
        NETWORK_STAMP: network.file.stamp,
        NETWORK_WIDTH: str(network.width),
        NETWORK_BLOCKS: str(network.blocks),
    }


def number_of(name: str) -> int:
    """The place of a module in the body."""
    return int(name.split(".")[1])


def empty_network(kind: NetworkSettings | CustomKind, game: Game) -> MoverNetwork:
    """A network with these settings, to be filled with weights."""
    metadata, layout = metadata_of(game), layout_of(game)
    if isinstance(kind, CustomKind):
        return CustomNetwork(kind.file, metadata, layout, kind.width, kind.blocks)
    return PolicyValueNetwork(metadata, kind, layout)


def fill(network: MoverNetwork, weights: Weights) -> None:
    """Copy weights into a network on any device, in its own type. Raises ModelError if they don't fit."""
    if isinstance(network, CustomNetwork) and weights:
        # A file has the weights that the answers depend on, and constants that aren't part of the state.
        state = network.state_dict()
        weights = state | {name: values for name, values in weights.items() if name in state}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        if not str(error).startswith("Error(s) in loading state_dict"):
            raise  # of the device
        raise ModelError(f"its weights are of another network: {' '.join(str(error).split())}") from error
