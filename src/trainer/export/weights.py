"""A network of torch from a model file: its weights, and from their names and shapes what kind of network it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from onnx import numpy_helper
from torch import Tensor

from trainer.core.errors import ModelError, first_line
from trainer.evaluators.half_precision import graph_of
from trainer.game_config import metadata_of
from trainer.games.base import Game
from trainer.games.layout import layout_of
from trainer.gpu.devices import is_of_device
from trainer.network import MoverNetwork, NetworkFile, OwnNetwork, PolicyValueNetwork
from trainer.pretrained import model_path
from trainer.run.model_files import read_model
from trainer.settings.groups.learning import Family, Pooling

Weights = dict[str, Tensor]
"""By their names in `PolicyValueNetwork.state_dict`, on the CPU."""


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


def weights_of(content: bytes) -> Weights:
    """The weights in a model file of this package, which has them under the network's own names."""
    graph = graph_of(content)
    return {
        tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
        for tensor in graph.initializer
        if re.fullmatch(r"(body|policy|value)\..*(weight|bias)|inner\..*", tensor.name)
    }


def kind_of(weights: Weights) -> Kind:
    """The settings of a network with these weights. Raises ModelError if they are of no family of this package."""
    blocks = {found[1] for name in weights if (found := re.match(r"body\.(\d+)\.inner\.1\.weight", name))}
    if "body.0.conv.weight" in weights:
        return Kind("conv", len(weights["body.0.conv.weight"]), 0)
    if blocks:
        dense = max((name for name in weights if re.fullmatch(r"body\.\d+\.weight", name)), key=number_of)
        names = " ".join(weights)
        pooling: Pooling = "squeeze" if ".squeeze." in names else "bias" if ".bias.weight" in names else "none"
        return Kind("residual", len(weights[dense]), len(blocks), pooling)
    if "body.0.weight" in weights:
        return Kind("mlp", len(weights["body.0.weight"]), 0)
    raise ModelError("its weights aren't named as those of a network of this package")


def own_kind(metadata: Mapping[str, str], file: NetworkFile | None) -> OwnKind | None:
    """The settings that a model's metadata states for a network of one's own; None for a network of this package.

    `file`: the one that makes it. Raises ModelError if the model needs another one.
    """
    stamp = metadata.get("network_file")
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
    return PolicyValueNetwork(metadata, kind.family, kind.width, layout, kind.blocks, kind.pooling)


def begin_with(network: MoverNetwork, path: Path, env_id: str) -> None:
    """Copy a model file's weights into the network of a new run. Raises ModelError if they don't fit, or can't be read."""
    path = model_path(path, env_id)
    content = read_model(path)
    try:
        weights = weights_of(content)
    except Exception as error:  # protobuf's errors have no common base
        raise ModelError(f"{path} is not an ONNX model that can be loaded ({first_line(error)})") from error
    try:
        missing = [name for name, _ in network.named_parameters() if name not in weights]
        if missing and isinstance(network, OwnNetwork):
            raise ModelError(f"it lacks the weights {missing[0]}")
        fill(network, weights)
    except ModelError as error:
        reason = str(error) if isinstance(network, OwnNetwork) else fitting(weights)
        raise ModelError(f"the run can't begin with --start-from {path}: {reason}") from error


def fitting(weights: Weights) -> str:
    """Why weights don't fit the network of a run, and what to do."""
    try:
        kind = kind_of(weights)
    except ModelError as error:
        return str(error)
    size = f"--network {kind.family} --width {kind.width}"
    if kind.family == "residual":
        size += f" --blocks {kind.blocks} --pooling {kind.pooling}"
    return f"its network has {size}, so give these flags; or it was trained for another game"


def fill(network: MoverNetwork, weights: Weights) -> None:
    """Copy weights into a network on any device, in its own type. Raises ModelError if they don't fit."""
    if isinstance(network, OwnNetwork) and weights:  # a file has only the weights that the answers depend on
        weights = network.state_dict() | weights
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        if is_of_device(error):
            raise
        raise ModelError(f"its weights are of another network: {' '.join(str(error).split())}") from error
