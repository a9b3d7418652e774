"""Put a model into the package, with its card and its curves, as what `--model pretrained` plays.

    python tools/ship_model.py docs/results/hex-5x5-10min data/hex-5x5-10min/models/latest.onnx

The first argument is the folder that tools/strength_run.py wrote, whose results.md becomes the card, and whose stats.json
the curves. Without the second argument only the curves are written.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trainer.pretrained import FOLDER, file_name

MOST_BYTES = 3_000_000
CARD = """# The model of {env_id}

Play it with `cartridge play --env-id {env_id} --model pretrained`.
Measure it with `cartridge evaluate --env-id {env_id} --model pretrained`.

- **Training.** From random weights, by self-play alone: {training}
- **File.** {size:,} bytes, ONNX{precision}, training step {step}; inputs and outputs as in the documentation of the formats.
- **Licence.** MIT, as the package.
- **Limits.** It knows this game with these parameters and these rules alone. What follows is all that was measured.

## Measurements

{measurements}
"""


PREFIX = "half."
"""The stored weights have their names with this before them."""
MOST_POINTS = 150
"""Points of the losses that the curves keep."""
MEASURED = ("step", "opponent", "win_rate", "elo")
"""What they keep of an evaluation, beside the wrong moves."""


def write_curves(stats: dict[str, Any]) -> None:
    """Write what the page compares other runs with: a part of a run's stats.json."""
    stride = -(-len(stats["history"]) // MOST_POINTS)
    kept = stats["history"][::-1][::stride][::-1]  # with the last point
    evaluations = []
    for one in stats["eval_history"]:
        quality = [{"weak_error": found["weak_error"]} for found in one.get("move_quality", [])[:1]]
        evaluations.append({name: one[name] for name in MEASURED if name in one} | {"move_quality": quality})
    curves = {
        "env_id": stats["env_id"],
        "history": [{name: point[name] for name in ("step", "total_loss", "learning_rate")} for point in kept],
        "eval_history": evaluations,
    }
    (FOLDER / f"{file_name(stats['env_id'])}.json").write_text(
        json.dumps(rounded(curves), separators=(",", ":")) + "\n"
    )


def rounded(value: Any) -> Any:
    """A JSON value with numbers of four significant digits, steps apart."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def halved(content: bytes) -> bytes:
    """A model file with its float32 weights stored in float16. Raises ValueError if one is too large for that."""
    model = onnx.load_model_from_string(content)
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name, weights = tensor.name, numpy_helper.to_array(tensor)
        if np.abs(weights).max(initial=0) > np.finfo(np.float16).max:
            raise ValueError(f"{name} has weights that are too large for float16")
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), PREFIX + name))
        casts.append(helper.make_node("Cast", [PREFIX + name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def main(results: Path, model: Path | None = None) -> None:
    """Copy the model, and write its card and its curves."""
    write_curves(json.loads((results / "stats.json").read_text()))
    if model is None:
        return
    content = model.read_bytes()
    if len(content) > MOST_BYTES:
        smaller = model.with_suffix(".half.onnx")
        smaller.write_bytes(halved(content))
        raise SystemExit(
            f"{model} has {len(content):,} bytes, and {MOST_BYTES:,} are the most. {smaller} is the same model with "
            f"weights of 16 bits: measure that one with the evaluator, write the figures to results.md, and ship it"
        )
    shipped = onnx.load_model_from_string(content)
    metadata = {entry.key: entry.value for entry in shipped.metadata_props}
    half = any(tensor.data_type == TensorProto.FLOAT16 for tensor in shipped.graph.initializer)
    _, training, *rest = re.split(r"\n\n", (results / "results.md").read_text().strip())
    measurements = "\n\n".join(part for part in rest if not part.startswith("!["))
    name = file_name(metadata["env_id"])
    (FOLDER / f"{name}.onnx").write_bytes(content)
    card = CARD.format(
        env_id=metadata["env_id"],
        training=training,
        size=len(content),
        precision=" with weights of 16 bits" if half else "",
        step=metadata["step"],
        measurements=measurements,
    )
    (FOLDER / f"{name}.md").write_text(card)
    print(f"{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
