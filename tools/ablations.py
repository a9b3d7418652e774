"""Trains with the recipe of a game and with one change of it at a time, to see which of its settings help.

    python tools/ablations.py --env-id connect4 --minutes 5 --out docs/results/connect4-ablations.md gumbel=false average=0

Each change is a setting of `python -m trainer.loop` and its value (true, false, or as on the command line). Several joined
by commas are one change. The unchanged recipe comes first. All runs have the same minutes and begin from nothing. With
`--seeds 0 1 2` at the end there are three of each, and the table has their mean, the lowest and the highest.

`python -m trainer.evaluator` measures the newest model of each run: by wrong moves in tic-tac-toe and Connect 4, in other
games by a match against the model of the unchanged recipe with the same seed. Each line of the table is written as soon as
its runs are over.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from math import isnan, nan
from pathlib import Path
from statistics import mean

from strength_run import evaluate, require_new

from trainer.core.errors import TrainerError
from trainer.games import game_of
from trainer.loop import config_from
from trainer.run.folder import RunFolder
from trainer.settings.validation import require_output

COUNTED_AT = {"tictactoe": (0, 50), "connect4": (0, 600)}
"""Simulations at which wrong moves are counted, without search first."""
UNCHANGED = "the recipe"
MATCH = ("--simulations", "100", "--games", "400")
FORMATS = {"positions": ",.0f", "steps": ",.0f", "total": ".2f", "raw policy": ".2f"}
"""How the values of a column are written; others have one digit after the point."""


def flags_of_change(change: str) -> list[str]:
    """The loop's flags for a change, such as `gumbel=false,width=256`."""
    flags = []
    for setting in change.split(",") if change != UNCHANGED else []:
        name, equals, value = setting.partition("=")
        if not equals:
            raise SystemExit(f"{setting!r} isn't a change of a setting; give its name and value, as in gumbel=false")
        flag = name.replace("_", "-")
        flags.append({"true": f"--{flag}", "false": f"--no-{flag}"}.get(value, f"--{flag}={value}"))
    return flags


def flags_of_run(env_id: str, change: str, minutes: float, seed: int) -> list[str]:
    """The loop's flags for a run with the changed recipe, but for its folder."""
    return ["--env-id", env_id, "--minutes", f"{minutes}", "--seed", f"{seed}", *flags_of_change(change)]


def train(flags: Sequence[str], run: RunFolder) -> None:
    """A run of the loop."""
    command = [sys.executable, "-m", "trainer.loop", "--data-dir", str(run.path), *flags]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measure(env_id: str, run: RunFolder, base: RunFolder) -> dict[str, float]:
    """The strength of a run in percent, by the names of the table's columns; NaN for what needs another run.

    `base` is the run with the unchanged recipe.
    """
    if env_id in COUNTED_AT:
        settings = ["--solve", "--solve-simulations", *map(str, COUNTED_AT[env_id])]
        results = evaluate(env_id, run.latest_model, run.path / "errors.json", *settings)["results"]
        raw, searched = results[: len(COUNTED_AT[env_id])]  # the last result is minimax's
        kinds = {name: 100 * kind["weak_error"] for name, kind in searched["kinds"].items()}
        return {**kinds, "total": 100 * searched["weak_error"], "raw policy": 100 * raw["weak_error"]}
    if run == base:
        return dict.fromkeys(("score", "95% from", "95% to"), nan)
    opponent = ("--opponent", str(base.latest_model))
    score = evaluate(env_id, run.latest_model, run.path / "match.json", *opponent, *MATCH)["score"]
    low, high = score["interval_95"]
    return {"score": 100 * score["rate"], "95% from": 100 * low, "95% to": 100 * high}


def measured(env_id: str, run: RunFolder, base: RunFolder) -> dict[str, float]:
    """How much a run has played and trained, and its strength."""
    positions = json.loads(run.actor_stats.read_text())["total_steps"]
    steps = json.loads(run.stats.read_text())["step"]
    return {"positions": positions, "steps": steps} | measure(env_id, run, base)


def cell_of(column: str, values: Sequence[float]) -> str:
    """The value of one run, or the mean of several with the lowest and the highest; empty for NaN."""
    if any(map(isnan, values)):
        return ""
    shown = [f"{value:{FORMATS.get(column, '.1f')}}" for value in (mean(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def row_of(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    """Train and measure one by one, and write the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the loop is killed, too
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("changes", nargs="*", help="settings to change, as in gumbel=false")
    parser.add_argument("--env-id", default="connect4", help="any game, also by its file")
    parser.add_argument("--minutes", type=float, default=5.0, help="minutes of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="each change has a run with each of them")
    parser.add_argument("--data-dir", type=Path, help="folder of the runs (default: data/<game>-ablations)")
    parser.add_argument("--out", type=Path, default=Path("ablations.md"), help="file of the table")
    chosen = parser.parse_args()
    changes, seeds = [UNCHANGED, *chosen.changes], list(dict.fromkeys(chosen.seeds))
    try:  # a mistake is found here, not after hours
        for change in changes:
            for seed in seeds:
                config_from(flags_of_run(chosen.env_id, change, chosen.minutes, seed)).check()
        require_output(chosen.out, "--out")
        folder = chosen.data_dir or Path("data") / f"{game_of(chosen.env_id).env_id}-ablations"
    except TrainerError as error:
        raise SystemExit(f"error: {error}") from error
    runs = [[RunFolder(folder / f"{number}-seed{seed}") for seed in seeds] for number in range(len(changes))]
    for run in chain.from_iterable(runs):
        require_new(run.path)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    for number, change in enumerate(changes):
        found = []
        for seed, run, base in zip(seeds, runs[number], runs[0], strict=True):
            train(flags_of_run(chosen.env_id, change, chosen.minutes, seed), run)
            found.append(measured(chosen.env_id, run, base))
        row = {"changed": change} | {column: cell_of(column, [one[column] for one in found]) for column in found[0]}
        if number == 0:
            chosen.out.write_text(row_of(row) + row_of("---" for _ in row))
        with chosen.out.open("a") as table:
            table.write(row_of(row.values()))
        print(row_of(row.values()), end="", flush=True)


if __name__ == "__main__":
    main()
