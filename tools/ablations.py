"""The recipe of a game with one thing changed at a time, the same minutes and seed each: which of its parts help.

    python tools/ablations.py --env-id connect4 --minutes 5 --out docs/results/connect4-ablations.md gumbel=false average=0

Each change is a field of `trainer.recipes.Recipe` and its value as JSON; several joined by commas are one change. The recipe
as it is comes first. Each run is from nothing, and its newest model is measured by `python -m trainer.evaluator`: by wrong
moves where the game has an exam, else by a match against the recipe's model. A line of the table is written as soon as its
run is over.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from strength_run import evaluate, require_new

from trainer import loop
from trainer.settings.recipes import RECIPES

COUNTED_AT = {"tictactoe": (0, 50), "connect4": (0, 600)}
AS_IT_IS = "the recipe"
MATCH = ("--simulations", "100", "--games", "400")


def fields_of(change: str) -> dict[str, Any]:
    """The fields of the recipe that a change names, as in `gumbel=false,width=256`."""
    pairs = (pair.partition("=") for pair in change.split(",") if change != AS_IT_IS)
    return {name: json.loads(value) for name, _, value in pairs}


def train(env_id: str, change: str, minutes: float, seed: int, folder: Path) -> None:
    """A run of the loop with the changed recipe, in a process of its own."""
    command = [sys.executable, __file__, "--run", change, "--env-id", env_id, "--minutes", f"{minutes}"]
    subprocess.run([*command, "--seed", f"{seed}", "--data-dir", str(folder)], check=True, stdout=subprocess.DEVNULL)


def run(env_id: str, change: str, minutes: float, seed: int, folder: Path) -> int:
    """What `train` starts: the loop, in whose process the recipe is another."""
    RECIPES[env_id] = replace(RECIPES[env_id], **fields_of(change))
    return loop.main(["--env-id", env_id, "--minutes", f"{minutes}", "--seed", f"{seed}", "--data-dir", str(folder)])


def measure(env_id: str, folder: Path, base: Path) -> dict[str, str]:
    """What the table says of a run's strength, by the names of its columns; `base` is the folder of the recipe's run."""
    model = folder / "models/latest.onnx"
    if env_id in COUNTED_AT:
        settings = ["--solve", "--solve-simulations", *map(str, COUNTED_AT[env_id])]
        exam = evaluate(env_id, model, folder / "errors.json", *settings)
        raw, searched = exam["results"][: len(COUNTED_AT[env_id])]  # behind them comes minimax
        kinds = {name: f"{100 * kind['weak_error']:.1f}" for name, kind in searched["kinds"].items()}
        return {**kinds, "total": f"{100 * searched['weak_error']:.2f}", "raw policy": f"{100 * raw['weak_error']:.2f}"}
    if folder == base:
        return {"score": "", "95% interval": ""}
    opponent = str(base / "models/latest.onnx")
    score = evaluate(env_id, model, folder / "match.json", "--opponent", opponent, *MATCH)["score"]
    low, high = score["interval_95"]
    return {"score": f"{100 * score['rate']:.1f}%", "95% interval": f"{100 * low:.1f} to {100 * high:.1f}"}


def line_of(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |\n"


def main() -> int:
    """Train and measure each, write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("changes", nargs="*", help="as in gumbel=false")
    parser.add_argument("--env-id", default="connect4", choices=RECIPES)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="folder of the runs")
    parser.add_argument("--out", type=Path, default=Path("ablations.md"), help="the table")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    folder = chosen.data_dir or Path("data") / f"{chosen.env_id}-ablations"
    if chosen.run:
        return run(chosen.env_id, chosen.run, chosen.minutes, chosen.seed, folder)
    for number, change in enumerate([AS_IT_IS, *chosen.changes]):
        own = folder / f"{number}"
        require_new(own)
        train(chosen.env_id, change, chosen.minutes, chosen.seed, own)
        steps = json.loads((own / "stats.json").read_text())["step"]
        positions = json.loads((own / "actor_stats.json").read_text())["total_steps"]
        row = {"changed": change, "positions": f"{positions:,}", "steps": f"{steps:,}"}
        row |= measure(chosen.env_id, own, folder / "0")
        if number == 0:
            chosen.out.write_text(line_of(row) + line_of("---" for _ in row))
        with chosen.out.open("a") as table:
            table.write(line_of(row.values()))
        print(line_of(row.values()), end="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
