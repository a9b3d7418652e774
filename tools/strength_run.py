"""Trains a game from nothing with its default settings, and measures the strength on the way, as in docs/results.

    python tools/strength_run.py --env-id connect4 --minutes 60 --at 5 10 15 30 60 --out docs/results/connect4-60min

Runs `python -m trainer.loop` and copies the newest model at each of the minutes. After the run it measures every copy with
`python -m trainer.evaluator`: wrong moves in scored test positions if the game has them or with --solve, and matches against
1,000 rollouts, and against minimax if the game has that player. The output folder gets the run's stats.json, its settings in
settings.json, the evaluator's JSON for each copy, results.md with a table, and curve.png.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from trainer.core.errors import TrainerError
from trainer.core.packages import require_matplotlib
from trainer.games import has_part
from trainer.games.solving.scored_positions import has_scored_positions, scored_positions_of
from trainer.measure.plot import Curve, save_plot
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder
from trainer.settings.base import fixed_names
from trainer.settings.loop import LoopConfig

SIMULATIONS = {"tictactoe": (0, 50), "connect4": (0, 100, 600), "othello": (0, 100, 600)}
"""Numbers of simulations at which wrong moves are counted; of other games 0 and 100."""
PLAYED_WITH = {"go": 200}
"""Simulations per move in matches; of other games 100."""
OPENING_PLIES = {"hex": 0, "mnk": 2, "go": 2, "minichess": 3}
"""Random plies before matches; of other games 4. More of them would often give the game away."""
GAMES = 400


def require_new(folder: Path) -> None:
    """Exit with a message if a folder holds an earlier run, because the new run would train on its games."""
    if folder.exists():
        raise SystemExit(f"{folder} holds an earlier run; delete it, or give another folder with --data-dir")


def require_scored_positions(env_id: str) -> None:
    """Exit with a message if wrong moves can't be counted in a game; solving it takes up to a minute.

    In a process of its own, because a solved game takes up to 335 MB.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as child:
        if refusal := child.submit(refusal_of, env_id).result():
            raise SystemExit(f"error: {refusal}")


def refusal_of(env_id: str) -> str:
    """Why wrong moves can't be counted in a game; empty if they can."""
    try:
        scored_positions_of(env_id)
    except TrainerError as error:
        return str(error)
    return ""


def train(env_id: str, minutes: float, moments: list[float], seed: int, run: RunFolder) -> dict[float, Path]:
    """Run the loop; returns, by minute, a copy of the model at each moment and the model of the end.

    A moment before the first model has none.
    """
    command = [sys.executable, "-m", "trainer.loop", "--env-id", env_id, "--minutes", f"{minutes}"]
    copies: dict[float, Path] = {}
    began = time.monotonic()
    with subprocess.Popen([*command, "--data-dir", str(run.path), "--seed", f"{seed}"]) as loop:
        try:
            for moment in sorted(moments):
                while loop.poll() is None and time.monotonic() < began + 60 * moment:
                    time.sleep(0.5)
                if loop.poll() is None and moment < minutes and run.latest_model.exists():
                    copies[moment] = run.path / f"model-{moment:g}min.onnx"
                    shutil.copy(run.latest_model, copies[moment])
            loop.wait()
        except BaseException:
            loop.terminate()
            loop.wait()
            raise
    if loop.returncode != 0:
        raise SystemExit(loop.returncode)
    return copies | {minutes: run.latest_model}


def evaluate(env_id: str, model: Path, out: Path, *arguments: str) -> dict[str, Any]:
    """Run the evaluator with these arguments; returns the JSON that it wrote to `out`, without the games."""
    command = [sys.executable, "-m", "trainer.evaluator", "--env-id", env_id, "--model", str(model)]
    subprocess.run([*command, "--json", str(out), *arguments], check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(out.read_text())
    found["model"] = model.name
    found.pop("games", None)
    out.write_text(json.dumps(found, indent=1) + "\n")
    return found


def errors(env_id: str, copies: dict[float, Path], out: Path) -> list[str]:
    """The weak errors of each copy, as a Markdown table."""
    settings = ["--solve-simulations", *map(str, SIMULATIONS.get(env_id, (0, 100)))]
    measured = {
        minute: evaluate(env_id, model, out / f"errors-{minute:g}min.json", "--solve", *settings)
        for minute, model in copies.items()
    }
    kinds = list(next(iter(measured.values()))["results"][0]["kinds"])
    lines = [f"| minutes | step | player | {' | '.join(kinds)} | total |", "|" + "---|" * (len(kinds) + 4)]
    for minute, report in measured.items():
        for result in report["results"]:
            baseline = "Minimax" in result["player"]
            if baseline and minute != max(measured):
                continue
            rates = [result["kinds"][kind]["weak_error"] for kind in kinds] + [result["weak_error"]]
            when = ("", "") if baseline else (f"{minute:g}", f"{report['step']:,}")
            lines.append(f"| {' | '.join([*when, result['player'], *(f'{100 * rate:.2f}%' for rate in rates)])} |")
    return ["Weak errors:", "", *lines, "", *every_line(measured[max(measured)].get("every_line", []))]


def every_line(players: list[dict[str, Any]]) -> list[str]:
    """How all lines of play against the last model end, as a Markdown table; empty for a game with too many lines."""
    lines = ["| player | seat | won | drawn | lost |", "|" + "---|" * 5]
    for player in players:
        for seat in ("first", "second"):
            counts = player[f"as_{seat}"]
            lines.append(f"| {player['player']} | {seat} | {counts['won']} | {counts['drawn']} | {counts['lost']} |")
    return ["All lines of play:", "", *lines, ""] if players else []


def matches(env_id: str, opponent: str, copies: dict[float, Path], out: Path) -> list[str]:
    """The results of each copy against an opponent, as a Markdown table."""
    lines = [
        "| minutes | step | won, drawn, lost as first | as second | score | 95% interval |",
        "|" + "---|" * 6,
    ]
    game = env_id.partition(":")[0]
    simulations, plies = PLAYED_WITH.get(game, 100), OPENING_PLIES.get(game, 4)
    settings = ["--opponent", opponent, "--simulations", str(simulations), "--games", str(GAMES)]
    settings += ["--opening-plies", str(plies)]
    for minute, model in copies.items():
        match = evaluate(env_id, model, out / f"{opponent}-{minute:g}min.json", *settings)
        seats = []
        for seat in ("as_first", "as_second"):
            won, lost = (match[result][seat] for result in ("wins", "losses"))
            seats.append(f"{won}, {GAMES // 2 - won - lost}, {lost}")
        low, high = (f"{100 * end:.1f}" for end in match["score"]["interval_95"])
        score = f"{100 * match['score']['rate']:.1f}% | {low} to {high}%"
        lines.append(f"| {minute:g} | {match['step']:,} | {' | '.join(seats)} | {score} |")
    begun = f"after {plies} random plies" if plies else "from the first position"
    title = f"{GAMES} games against {match['opponent']}, {simulations} simulations per move, {begun}:"
    different = f"{match['different_games']} of the last model's {GAMES} games are different."
    return [title, "", *lines, "", different, ""]


def draw(env_id: str, seen: list[dict[str, Any]], began: float, path: Path) -> None:
    """Draw the evaluations of a run over the minutes since `began`: wrong moves, and games not won against random play."""
    minutes = [(entry["timestamp"] - began) / 60 for entry in seen]
    curves = [Curve("not won against random", minutes, [100 * (1 - entry["win_rate"]) for entry in seen])]
    if has_scored_positions(env_id):
        qualities = [entry["move_quality"][0] for entry in seen]
        curves.append(
            Curve(
                "weak errors of the raw network",
                minutes,
                [100 * quality["weak_error"] for quality in qualities],
                [100 * quality["weak_interval_95"][0] for quality in qualities],
                [100 * quality["weak_interval_95"][1] for quality in qualities],
            )
        )
    label = "percent" if len(curves) > 1 else f"games {curves[0].name} play, percent"
    save_plot(path, f"{env_id}, from nothing", "minutes", label, curves)


def main() -> None:
    """Train, measure, and write the results."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the loop is ended, too
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--env-id", default="connect4")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--at", type=float, nargs="*", default=[], help="minutes at which to copy the model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, help="folder of the run (default: data/<name of --out>)")
    parser.add_argument(
        "--solve", action="store_true", help="count wrong moves in a game that isn't solved at once, too"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    chosen = parser.parse_args()
    run = RunFolder(chosen.data_dir or Path("data") / chosen.out.name)
    require_new(run.path)
    # What is needed afterwards is looked for now, not after hours of training.
    try:
        require_matplotlib()
    except TrainerError as error:
        raise SystemExit(f"error: {error}") from error
    if chosen.solve:
        require_scored_positions(chosen.env_id)
    chosen.out.mkdir(parents=True, exist_ok=True)
    began = time.time()
    copies = train(chosen.env_id, chosen.minutes, chosen.at, chosen.seed, run)
    stats = json.loads(run.stats.read_text())
    stats["last_checkpoint"] = Path(stats["last_checkpoint"]).name
    (chosen.out / "stats.json").write_text(json.dumps(stats) + "\n")
    actor = json.loads(run.actor_stats.read_text())
    draw(chosen.env_id, EvaluationLog(run.evaluations).read(), began, chosen.out / "curve.png")
    played = f"{actor['episodes_completed']:,} games, {actor['total_steps']:,} positions, {stats['step']:,} steps"
    command = f"python -m trainer.loop --env-id {chosen.env_id} --minutes {chosen.minutes:g} --seed {chosen.seed}"
    record = json.loads(run.record.read_text())["loop"]
    kept = {"minutes", "device", "threads", "games", "cache", *fixed_names(LoopConfig)}
    settings = {name: value for name, value in sorted(record["settings"].items()) if name in kept}
    (chosen.out / "settings.json").write_text(json.dumps(settings, indent=1) + "\n")
    where = f"on {record['processor']}, {time.strftime('%Y-%m-%d', time.gmtime(began))}, commit {record['commit']}"
    lines = [f"# {chosen.out.name}", "", f"`{command}` {where}: {played}.", ""]
    if chosen.solve or has_scored_positions(chosen.env_id):
        lines += errors(chosen.env_id, copies, chosen.out)
    if chosen.env_id != "tictactoe":
        for opponent in ["minimax"] * has_part(chosen.env_id, "heuristic") + ["rollouts"]:
            lines += matches(chosen.env_id, opponent, copies, chosen.out)
    (chosen.out / "results.md").write_text("\n".join([*lines, "![the curve](curve.png)"]) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
