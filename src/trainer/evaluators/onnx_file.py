"""A model file, evaluated by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime

from trainer.core.errors import ModelError, first_line
from trainer.evaluators.answers import NOT_FINITE
from trainer.evaluators.interface import Observations
from trainer.evaluators.model import ModelEvaluator, ModelInfo, Outputs
from trainer.games import find_game
from trainer.games.library import rules_differ
from trainer.run.model_contract import ENV_ID, OBSERVATION, OUTPUTS, POLICY_LOGITS, RULES, VALUE


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
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            if has_external_data(content):
                raise ModelError(
                    f"{source} keeps its weights in another file, but a model is one file here; merge them with: "
                    f"python -c \"import onnx; onnx.save(onnx.load('MODEL'), 'MERGED')\""
                ) from error
            raise ModelError(f"{source} is not an ONNX model that can be loaded ({first_line(error)})") from error
        super().__init__(ModelInfo(source, metadata))
        made_for = metadata.get(ENV_ID, env_id)
        if made_for != env_id:
            raise ModelError(f"{source} was trained for {made_for}, not {env_id}; give a model of {env_id}")
        self._check_shapes(env_id, obs_size, num_actions)
        self._check_batch(obs_size, num_actions)
        rules, stamp = metadata.get(RULES), found.stamp
        if rules_differ(rules, stamp):
            raise ModelError(
                f"{source} was trained by other rules of {env_id}: their hash was {rules}, and that of the "
                f"file {found.path} is {stamp}; {found.where_older_rules_are}"
            )

    def outputs(self, observation: Observations) -> Outputs:
        """What the file answers to observations [B, obs_size], unchecked."""
        logits, value = self._session.run(OUTPUTS, {OBSERVATION: observation})
        return logits, value

    def _check_shapes(self, env_id: str, obs_size: int, num_actions: int) -> None:
        found = {node.name: node.shape for node in (*self._session.get_inputs(), *self._session.get_outputs())}
        needed = {OBSERVATION: obs_size, POLICY_LOGITS: num_actions, VALUE: 1}
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


def has_external_data(content: bytes) -> bool:
    """Whether a model file keeps weights in another file; False if it can't be read at all."""
    import onnx  # only if a model can't be loaded

    try:
        graph = onnx.load_model_from_string(content).graph
    except Exception:  # protobuf's errors have no common base
        return False
    return any(weight.data_location == onnx.TensorProto.EXTERNAL for weight in graph.initializer)
