"""Trains with the recipe of a game and with one change of it at a time, to see which of its settings help.

    python tools/ablations.py --env-id connect4 --minutes 5 --out docs/results/connect4-ablations.md gumbel=false average=0

Each change is a setting of `python -m trainer.loop` and its value (true, false, or as on the command line). Several joined
by commas are one change. The unchanged recipe comes first. All runs have the same minutes and seed, and begin from nothing.
`python -m trainer.evaluator` measures the newest model of each: by wrong moves if the game has scored test positions,
otherwise by a match against the recipe's model. Each line of the table is written as soon as its run is over.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from strength_run import evaluate, require_new

from trainer.games import game_of
from trainer.loop import config_from
from trainer.run.folder import RunFolder

COUNTED_AT = {"tictactoe": (0, 50), "connect4": (0, 600)}
"""Simulations at which wrong moves are counted, without search first."""
UNCHANGED = "the recipe"
MATCH = ("--simulations", "100", "--games", "400")


def flags_of_change(change: str) -> list[str]:
    """The loop's flags for a change, such as `gumbel=false,width=256`."""
    flags = []
    for setting in change.split(",") if change != UNCHANGED else []:
        name, equals, value = setting.partition("=")
        if not equals:
            raise SystemExit(f"{setting!r} is no change of a setting; give its name and value, as in gumbel=false")
        flag = name.replace("_", "-")
        flags.append({"true": f"--{flag}", "false": f"--no-{flag}"}.get(value, f"--{flag}={value}"))
    return flags


def train(env_id: str, change: str, minutes: float, seed: int, run: RunFolder) -> None:
    """A run of the loop with the changed recipe."""
    command = [sys.executable, "-m", "trainer.loop", "--env-id", env_id, "--minutes", f"{minutes}", "--seed", f"{seed}"]
    command += ["--data-dir", str(run.path), *flags_of_change(change)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measure(env_id: str, run: RunFolder, base: RunFolder) -> dict[str, str]:
    """The strength of a run, by the names of the table's columns; `base` is the run with the unchanged recipe."""
    if env_id in COUNTED_AT:
        settings = ["--solve", "--solve-simulations", *map(str, COUNTED_AT[env_id])]
        results = evaluate(env_id, run.latest_model, run.path / "errors.json", *settings)["results"]
        raw, searched = results[: len(COUNTED_AT[env_id])]  # the last result is minimax's
        kinds = {name: f"{100 * kind['weak_error']:.1f}" for name, kind in searched["kinds"].items()}
        return {**kinds, "total": f"{100 * searched['weak_error']:.2f}", "raw policy": f"{100 * raw['weak_error']:.2f}"}
    if run == base:
        return {"score": "", "95% interval": ""}
    opponent = ("--opponent", str(base.latest_model))
    score = evaluate(env_id, run.latest_model, run.path / "match.json", *opponent, *MATCH)["score"]
    low, high = score["interval_95"]
    return {"score": f"{100 * score['rate']:.1f}%", "95% interval": f"{100 * low:.1f} to {100 * high:.1f}"}


def row_of(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    """Train and measure one by one, and write the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the loop is ended, too
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("changes", nargs="*", help="settings to change, as in gumbel=false")
    parser.add_argument("--env-id", default="connect4", help="any game, also by its file")
    parser.add_argument("--minutes", type=float, default=5.0, help="minutes of each run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="folder of the runs (default: data/<game>-ablations)")
    parser.add_argument("--out", type=Path, default=Path("ablations.md"), help="file of the table")
    chosen = parser.parse_args()
    changes = [UNCHANGED, *chosen.changes]
    for change in changes:
        config_from(["--env-id", chosen.env_id, *flags_of_change(change)])  # exits here if one is wrong, not in its run
    folder = chosen.data_dir or Path("data") / f"{game_of(chosen.env_id).env_id}-ablations"
    for number, change in enumerate(changes):
        run = RunFolder(folder / f"{number}")
        require_new(run.path)
        train(chosen.env_id, change, chosen.minutes, chosen.seed, run)
        steps = json.loads(run.stats.read_text())["step"]
        positions = json.loads(run.actor_stats.read_text())["total_steps"]
        row = {"changed": change, "positions": f"{positions:,}", "steps": f"{steps:,}"}
        row |= measure(chosen.env_id, run, RunFolder(folder / "0"))
        if number == 0:
            chosen.out.write_text(row_of(row) + row_of("---" for _ in row))
        with chosen.out.open("a") as table:
            table.write(row_of(row.values()))
        print(row_of(row.values()), end="", flush=True)


if __name__ == "__main__":
    main()
