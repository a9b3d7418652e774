"""The network as an ONNX file, published for actors.

The graph is made once. After that only the weights are replaced, which takes a few milliseconds. Every file's answers are
compared with torch's before it is published, so a wrong translation can't be published.
"""

from __future__ import annotations

import copy

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper

import trainer
from trainer.core.errors import ModelError
from trainer.evaluators.answers import HIGHEST_VALUE
from trainer.export.graph import numpy_of, written_model
from trainer.export.stored import described
from trainer.export.traced import traced_model
from trainer.network import CustomNetwork, MoverNetwork, PolicyValueNetwork
from trainer.replay import Metadata
from trainer.run.model_contract import ARCHITECTURE, ENV_ID, KIND, OBSERVATION, OUTPUTS, PROGRESS, RULES, STEP

IR_VERSION = 8
TOLERANCE = 1e-5
"""Accepted difference between ONNX Runtime's and torch's outputs, relative to the largest output or to 1. Logits of illegal
moves don't count: a custom network may set them to -1e9."""
TOLERANCE_OF_TRACED = 1e-4
"""The same for a network of somebody else, which may be much deeper. A wrong translation differs by more."""
MORE_ROUNDING = 10.0
"""How many times torch's own rounding error a larger difference than TOLERANCE may be, for networks of this package. Squared
ReLUs let numbers grow to thousands, while the sum of many, the value before its tanh, stays small."""
CHECKED = 64
"""Rows at most whose outputs are compared. A wrong translation differs in almost every row, and training waits: for 256 rows
a tower takes a second on one core."""


class Exporter:
    """The ONNX graph of one network; `to_bytes` fills in the network's current weights."""

    def __init__(self, network: MoverNetwork, game: Metadata, stamp: str | None = None) -> None:
        """`stamp`: a hash of the game's rules, which the file's metadata then states as `rules`.

        Raises ModelError for a network that can't be exported, ConfigError if a package that its export needs isn't
        installed.
        """
        require_mover_network(network)
        known = isinstance(network, PolicyValueNetwork | CustomNetwork)
        self._network = network
        self._legal = slice(game.legal_mask_offset, game.legal_mask_offset + game.num_actions)
        self._metadata = {
            ENV_ID: game.env_id,
            KIND: ARCHITECTURE if known else type(network).__name__,
            "obs_size": str(game.obs_size),
            "num_actions": str(game.num_actions),
            "trainer_version": trainer.__version__,
        } | ({RULES: stamp} if stamp else {})
        self._traced = not isinstance(network, PolicyValueNetwork)
        self._model = (
            written_model(network, game) if isinstance(network, PolicyValueNetwork) else traced_model(network, game)
        )
        if isinstance(network, CustomNetwork):
            self._metadata |= described(network)
        self._model.ir_version = IR_VERSION
        self._model.producer_name, self._model.producer_version = "cartridge-trainer", trainer.__version__
        onnx.checker.check_model(self._model, full_check=True)

    def to_bytes(self, step: int, sample: np.ndarray, progress: float | None = None) -> bytes:
        """The model file with the current weights.

        `progress`: the share of the run that is done, 0 to 1, by which actors lengthen their searches. None: the file states
        none, and they take it for 1.

        Raises ModelError if ONNX Runtime's answers to `sample`, float32 [B, obs_size], differ from torch's or aren't finite.
        """
        weights = self._network.state_dict()
        model = (
            onnx.ModelProto()
        )  # a new message each time, because protobuf only frees what a field held with the whole message
        model.CopyFrom(self._model)
        for initializer in model.graph.initializer:
            if initializer.name in weights:
                kind = helper.tensor_dtype_to_np_dtype(initializer.data_type).newbyteorder("<")
                initializer.raw_data = numpy_of(weights[initializer.name]).astype(kind).tobytes()
        stated = {} if progress is None else {PROGRESS: f"{progress:.4f}"}
        helper.set_model_props(model, self._metadata | {STEP: str(step)} | stated)
        content: bytes = model.SerializeToString()
        self.check(content, sample)
        return content

    def check(self, content: bytes, sample: np.ndarray) -> None:
        """Raise ModelError unless a model file answers `sample`, float32 [B, obs_size], as the network now does.

        Only the first rows are compared, see CHECKED, and only logits of legal moves, unless no row has any.
        """
        sample = sample[:CHECKED]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        found = session.run(OUTPUTS, {OBSERVATION: sample})
        network, traced = self._network, self._traced
        if traced or network.weight.device.type != "cpu":  # a GPU may round more coarsely
            network = copy.deepcopy(network).cpu().eval()
        with torch.no_grad():
            expected = network(torch.from_numpy(sample))
        answers = [numpy_of(part) for part in expected]
        tolerance = TOLERANCE_OF_TRACED if traced else TOLERANCE
        legal = sample[:, self._legal] > 0
        compared = legal if legal.any() else ~legal, np.ones_like(found[1], np.bool_)
        for at, (name, ours, theirs, chosen) in enumerate(zip(OUTPUTS, answers, found, compared, strict=True)):
            if not np.isfinite(theirs).all():
                raise ModelError(f"the model answers NaN or infinity in {name}; it was not published")
            worst, largest = distance(ours[chosen], theirs[chosen]), float(np.abs(theirs[chosen]).max())
            accepted = tolerance * max(1.0, largest)  # rounding errors scale with the largest output
            if not worst <= accepted and not traced:  # large numbers may cancel out in this network
                accepted = MORE_ROUNDING * distance(ours[chosen], exact_answers(network, sample)[at][chosen])
            if not worst <= accepted:  # which also refuses NaN
                raise ModelError(f"ONNX Runtime's {name} differs from torch's by {worst:.2g}; it was not published")
        highest = float(np.abs(found[1]).max())
        if highest > HIGHEST_VALUE:
            raise ModelError(
                f"the network answers a value of {highest:.3g}, and values are from -1 to 1: end it with torch.tanh; it was "
                f"not published"
            )


def require_mover_network(network: object) -> None:
    """Raise ModelError for a module that takes no observations."""
    if not isinstance(network, MoverNetwork):
        raise ModelError(
            f"a {type(network).__name__} can't be exported; derive it from trainer.network.MoverNetwork (docs/api.md)"
        )


def exact_answers(network: MoverNetwork, sample: np.ndarray) -> list[np.ndarray]:
    """The policy logits and the value of observations [B, obs_size], in float64."""
    with torch.no_grad():
        return [numpy_of(part) for part in copy.deepcopy(network).double()(torch.from_numpy(sample).double())]


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference between two arrays."""
    return float(np.abs(ours - theirs).max())
