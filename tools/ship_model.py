"""Put a model into the package, with its card, as what `--model pretrained` plays.

    python tools/ship_model.py docs/results/hex-5x5-10min data/hex-5x5-10min/models/latest.onnx

The first argument is the folder that tools/strength_run.py wrote, whose results.md becomes the card.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import onnx

from trainer.evaluators.half_precision import halved
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


def main(results: Path, model: Path) -> None:
    """Copy the model and write its card."""
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
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in shipped.graph.initializer)
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
