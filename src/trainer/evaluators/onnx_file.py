"""A model file, evaluated by ONNX Runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from trainer.compile.linker import Linked, link
from trainer.core.errors import ModelError, first_line
from trainer.evaluators import answers
from trainer.evaluators.answers import NOT_FINITE, SOUND
from trainer.evaluators.interface import Evaluator, Observations, Prior, Values
from trainer.games import find_game
from trainer.games.base import Mask
from trainer.pretrained import model_path
from trainer.run.model_files import read_model
from trainer.sparse.network import SparseNetwork

Outputs = tuple[NDArray[np.float32], NDArray[np.float32]]
"""policy_logits [B, A] and value [B, 1]"""


@cache
def answer_kernels() -> Linked:
    """`answers.py`, compiled. Every model uses the same."""
    return link(answers, warm_up=_warm_up)


def _warm_up(linked: Linked) -> None:
    """Call each kernel once, for one row."""
    row, legal = np.zeros((1, 1), np.float32), np.ones((1, 1), np.bool_)
    linked.answers.fault_of(row, row[:, 0])
    linked.answers.masked_softmax(row, legal, np.zeros(1, np.int64), row)


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says about itself."""

    source: str
    """Its path, for messages."""
    metadata: dict[str, str]

    @property
    def step(self) -> int | None:
        """Training step; None if the file doesn't say."""
        step = self.metadata.get("step", "")
        try:
            return int(step) if step.isdigit() else None
        except ValueError:  # such as ², or thousands of digits
            return None

    @property
    def progress(self) -> float:
        """How much of the training run was done, 0 to 1; 1 if the file doesn't say."""
        try:
            share = float(self.metadata.get("progress", ""))
        except ValueError:
            return 1.0
        return share if 0 <= share <= 1 else 1.0


class ModelEvaluator(ABC):
    """A model whose outputs are checked and turned into an answer."""

    layers: SparseNetwork | None = None

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.source = info.source
        self.step = info.step
        self.progress = info.progress
        self._answers = answer_kernels().answers

    @abstractmethod
    def outputs(self, observation: Observations) -> Outputs:
        """The model's outputs for observations [B, obs_size], unchecked."""

    def __call__(self, observation: Observations, legal: Mask) -> tuple[Prior, Values]:
        """Prior float32 [B, A] over the legal moves and value float32 [B] for the mover."""
        try:
            logits, value = self.outputs(observation)
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            raise ModelError(f"{self.source} can't evaluate {len(observation)} rows ({first_line(error)})") from error
        refuse_fault(self.source, self._answers.fault_of(logits, value[:, 0]), value)
        prior = np.empty_like(logits)
        self._answers.masked_softmax(logits, legal, np.empty(logits.shape[1], np.int64), prior)
        return prior, value[:, 0]


def refuse_fault(source: str, fault: int, value: Values) -> None:
    """Raise ModelError for a `fault` of the answers of the model `source`, whose values these are; SOUND is none."""
    if fault == NOT_FINITE:
        raise ModelError(f"{source} answers NaN or infinity; train it again, or give another model")
    if fault != SOUND:
        raise ModelError(f"{source} answers a value of {value.flat[np.abs(value).argmax()]:g}; it must be from -1 to 1")


class OnnxEvaluator(ModelEvaluator):
    """A model file of the contract, in memory: input `observation`, outputs `policy_logits` and `value`."""

    def __init__(self, content: bytes, source: str, env_id: str) -> None:
        """Load a model from the bytes of its file; `source` names it in errors.

        Raises ModelError if it doesn't fit the game, GameError if there are no rules for `env_id`.
        """
        found = find_game(env_id)
        obs_size, num_actions = found.game.obs_size, found.game.num_actions
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"], enable_fallback=False
            )
            metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        except Exception as error:  # as above
            if has_external_data(content):
                raise ModelError(
                    f"{source} keeps its weights in another file, but a model is one file here; merge them with: "
                    f"python -c \"import onnx; onnx.save(onnx.load('MODEL'), 'MERGED')\""
                ) from error
            raise ModelError(f"{source} is not an ONNX model that can be loaded ({first_line(error)})") from error
        super().__init__(ModelInfo(source, metadata))
        made_for = metadata.get("env_id", env_id)
        if made_for != env_id:
            raise ModelError(f"{source} was trained for {made_for}, not {env_id}; give a model of {env_id}")
        self._check_shapes(env_id, obs_size, num_actions)
        self._check_batch(obs_size, num_actions)
        rules, stamp = metadata.get("rules"), found.stamp
        if rules and stamp and rules != stamp:
            raise ModelError(
                f"{source} was trained by other rules of {env_id}: their hash was {rules}, and that of the "
                f"file {found.path} is {stamp}; {found.where_older_rules_are}"
            )

    def outputs(self, observation: Observations) -> Outputs:
        """What the file answers to observations [B, obs_size], unchecked."""
        logits, value = self._session.run(["policy_logits", "value"], {"observation": observation})
        return logits, value

    def _check_shapes(self, env_id: str, obs_size: int, num_actions: int) -> None:
        found = {node.name: node.shape for node in (*self._session.get_inputs(), *self._session.get_outputs())}
        needed = {"observation": obs_size, "policy_logits": num_actions, "value": 1}
        for name, width in needed.items():
            if name not in found:
                names = ", ".join(found)
                raise ModelError(f"{self.source} has no input or output named {name!r} (it has {names})")
            shape = found[name]
            if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != width):
                raise ModelError(
                    f"{self.source} is a model for another game: its {name} has shape {shape}, "
                    f"{env_id} needs [batch, {width}]"
                )

    def _check_batch(self, obs_size: int, num_actions: int) -> None:
        """Evaluate two rows, because the types, batch size and shapes that a file states may be open or wrong."""
        rows = np.zeros((2, obs_size), np.float32)
        try:
            logits, value = self.outputs(rows)
        except Exception as error:  # as above
            raise ModelError(
                f"{self.source} can't evaluate float32 [batch, {obs_size}] of any batch size ({first_line(error)})"
            ) from error
        found: tuple[object, ...] = (logits.dtype, logits.shape, value.dtype, value.shape)
        if found != (np.float32, (2, num_actions), np.float32, (2, 1)):
            raise ModelError(
                f"{self.source} answers two rows by {logits.dtype} {logits.shape} and {value.dtype} {value.shape}; "
                f"policy_logits must be float32 [batch, {num_actions}], value float32 [batch, 1]"
            )
        if self._answers.fault_of(logits, value[:, 0]) == NOT_FINITE:
            raise ModelError(f"{self.source} answers NaN or infinity to an empty observation; it can't be used")


Prepare = Callable[[bytes, OnnxEvaluator], Evaluator]
"""Makes an evaluator, perhaps a faster one, of a file's content and what ONNX Runtime makes of it. It raises ModelError for
a model that can't be used."""


def has_external_data(content: bytes) -> bool:
    """Whether a model file keeps weights in another file; False if it can't be read at all."""
    import onnx  # only if a model can't be loaded

    try:
        graph = onnx.load_model_from_string(content).graph
    except Exception:  # protobuf's errors have no common base
        return False
    return any(weight.data_location == onnx.TensorProto.EXTERNAL for weight in graph.initializer)


def load_evaluator(path: Path, env_id: str) -> OnnxEvaluator:
    """The model in a file. Raises ModelError if there is none or it doesn't fit the game."""
    path = model_path(path, env_id)
    return OnnxEvaluator(read_model(path), str(path), env_id)


def load_prepared(path: Path, env_id: str, prepare: Prepare | None) -> Evaluator:
    """The same, as the evaluator that `prepare` makes of it; None: as it is."""
    path = model_path(path, env_id)
    return prepared(read_model(path), str(path), env_id, prepare)


def prepared(content: bytes, source: str, env_id: str, prepare: Prepare | None) -> Evaluator:
    """The evaluator that `prepare` makes of a file's content; None: OnnxEvaluator itself. Raises ModelError as that does."""
    original = OnnxEvaluator(content, source, env_id)
    return prepare(content, original) if prepare else original
