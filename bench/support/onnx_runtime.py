"""ONNX Runtime alone: a model evaluated as fast as possible, with nothing around it."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread

import numpy as np
import onnxruntime

from bench.support.turns import Turn
from trainer.games import game_of


class OnnxRuntime:
    """A model that several threads evaluate at once, one session each."""

    def __init__(self, model: Path, env_id: str, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._sessions = [
            onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            for _ in range(threads)
        ]
        self._obs_size = game_of(env_id).obs_size

    def turn(self, batch: int, seconds: float) -> Turn:
        """Evaluate batches of `batch` rows for `seconds`; measures the rate "evaluations"."""
        rows = (np.random.default_rng(0).random((batch, self._obs_size)) < 0.3).astype(np.float32)
        evaluated = [0] * len(self._sessions)
        cpu, began = time.process_time(), time.monotonic()

        def evaluate(index: int, session: onnxruntime.InferenceSession) -> None:
            while time.monotonic() < began + seconds:
                session.run(["policy_logits", "value"], {"observation": rows})
                evaluated[index] += batch

        threads = [Thread(target=evaluate, args=(i, session)) for i, session in enumerate(self._sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.monotonic() - began
        return Turn({"evaluations": sum(evaluated) / elapsed}, (time.process_time() - cpu) / elapsed)
