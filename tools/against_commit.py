"""Is it as fast as it was? Measures this working tree against an earlier commit.

    python tools/against_commit.py f877e30

The commit is checked out into a temporary git worktree. Self-play of each game with the loop's settings and two training
steps are measured through the commands that users run, so the modules of the two commits may have different names. Both
sides get the same model, rows and flags. Settings of a recipe whose flag the earlier commit doesn't know are left out, and
named. Each side has its own compile cache, which is filled before the first turn.

A round is now, then, then, now (A B B A), so the ratio stays the same on a machine that slows down over time. While one side
has its turn, the other is halted. The ratio of a round is that of its sums. The exit status is 1 if the median ratio over
the rounds is below `--least`. Positions/s don't decide: games end in waves, so their number differs from turn to turn.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.report.machine import describe_machine  # noqa: E402
from bench.report.report import number, spread  # noqa: E402
from bench.support.actors import POSITIONS, flags_of  # noqa: E402
from bench.support.databases import make_rows  # noqa: E402
from bench.support.models import place_model  # noqa: E402
from bench.support.turns import Turn, alternate, rates  # noqa: E402
from bench.support.workload import Workload, ready  # noqa: E402
from trainer.games.recipes import recipe_of  # noqa: E402
from trainer.run.folder import RunFolder  # noqa: E402
from trainer.run.provenance import commit  # noqa: E402
from trainer.settings.actor import ActorConfig  # noqa: E402
from trainer.settings.trainer import TrainerConfig  # noqa: E402

GAMES = ("tictactoe", "connect4", "othello")
ROWS = 60_000
"""Rows of random games that are trained on."""
MODEL_STEPS = 200
"""Training steps of the model that plays."""
MODULES: dict[type, str] = {ActorConfig: "trainer.actor", TrainerConfig: "trainer"}
"""The modules of the commands that are measured, by their settings."""
NOT_OF_THE_RECIPE = {
    *("env_id", "data_dir", "threads", "seed", "log_level"),
    *("steps", "minutes", "passes"),  # a measured trainer neither ends nor waits for new rows
    *("checkpoint_interval", "publish_seconds", "stats_interval", "log_interval"),
}
"""Settings that decide what is measured, and for how long. They aren't taken from the recipe."""
SEED = 1
NEVER = 10**9
COLUMNS = ("measured", "now", "then", "now / then", "per CPU-second", "")


Known = Mapping[type, Collection[str]]
"""The flags of the earlier commit's commands, by the settings of today's."""


@dataclass(frozen=True)
class Side:
    """One of the two commits."""

    root: Path
    """Where its files are."""
    environment: dict[str, str]
    """Environment variables for its commands: its sources and its compile cache."""

    @classmethod
    def at(cls, root: Path, cache: Path) -> Side:
        """The side with the files in `root`. Raises SystemExit if Python would import the package from elsewhere."""
        environment = os.environ | {"PYTHONPATH": str(root / "src"), "CARTRIDGE_CACHE": str(cache)}
        environment.pop("NUMBA_CACHE_DIR", None)
        command = [sys.executable, "-c", "import trainer; print(trainer.__file__)"]
        found = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout
        if not Path(found.strip()).is_relative_to(root):
            raise SystemExit(f"in {root} Python imports {found.strip()} instead of {root}/src; uninstall that package")
        return cls(root, environment)

    def run(self, words: Sequence[str]) -> None:
        """Run a Python command of this side to its end."""
        subprocess.run([sys.executable, *words], cwd=self.root, env=self.environment, check=True)

    def known(self) -> dict[type, set[str]]:
        """The flags that the commands of this side have, as their --help lists them."""
        return {config: self.flags_of_module(module) for config, module in MODULES.items()}

    def flags_of_module(self, module: str) -> set[str]:
        """The flags of one command."""
        command = [sys.executable, "-m", module, "--help"]
        environment = self.environment | {"COLUMNS": "80", "PYTHONUTF8": "1"}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=True)
        # At the beginning of a line; what comes later in it may mention other flags.
        begins = re.findall(r"(?m)^\W (--[\w-]+(?:, --[\w-]+)?)", done.stdout)
        return {flag for begin in begins for flag in begin.split(", ")}

    def workload(self, words: Sequence[str], stats_file: Path, count: str) -> Workload:
        """A Python command of this side, which counts its work in the field `count` of a statistics file."""
        return Workload([[sys.executable, *words]], stats_file, count, self.environment, self.root)


@dataclass(frozen=True)
class TrainingStep:
    """A training step that is measured."""

    env_id: str
    batch_size: int
    loop: bool
    """With the network and the settings of the loop, otherwise with the defaults of `python -m trainer`."""
    stats_interval: int
    """Steps between two writes of the count, about a second, so that writing takes no measurable share of the time."""

    def flags(self, known: Known) -> list[str]:
        """The flags that set the network, how it learns, and the batch size; both sides know them."""
        flags = recipe_flags(self.env_id, TrainerConfig, known) if self.loop else []
        return [*flags, *flags_of(env_id=self.env_id, batch_size=self.batch_size)]


TRAINING_STEPS = (TrainingStep("tictactoe", 64, False, 10_000), TrainingStep("connect4", 512, True, 20))


@dataclass(frozen=True)
class Line:
    """A line of the table: one count, and the turns of both sides, two of each in a round."""

    what: str
    unit: str
    count: str
    now: list[Turn]
    then: list[Turn]
    decides: bool = True
    """Whether the ratio decides about the exit status."""

    @property
    def ratios(self) -> list[float]:
        """now / then of each round."""
        return round_ratios(rates(self.now, self.count), rates(self.then, self.count))

    @property
    def ratios_per_cpu_second(self) -> list[float]:
        """now / then of each round, of the rates per CPU-second."""
        now, then = ([turn.per_cpu_second(self.count) for turn in side] for side in (self.now, self.then))
        return round_ratios(now, then)

    def fails(self, least: float) -> bool:
        """Whether this line makes the exit status 1."""
        return self.decides and median(self.ratios) < least

    def cells(self, least: float) -> list[str]:
        """The cells, in the order of COLUMNS."""
        verdict = f"below {least:g}" if self.fails(least) else "ok"
        return [
            f"{self.what}, {self.unit}",
            figures(rates(self.now, self.count)),
            figures(rates(self.then, self.count)),
            ratio_figures(self.ratios),
            ratio_figures(self.ratios_per_cpu_second),
            verdict if self.decides else "",
        ]


def round_ratios(now: Sequence[float], then: Sequence[float]) -> list[float]:
    """The ratio of the sums in each round, which has two turns of each side."""
    return [sum(now[at : at + 2]) / sum(then[at : at + 2]) for at in range(0, len(now), 2)]


def figures(values: list[float]) -> str:
    """The median, the smallest and the largest."""
    return f"{number(median(values))}{spread(values)}"


def ratio_figures(values: list[float]) -> str:
    """The median, the smallest and the largest of ratios."""
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """A git worktree of `revision` at `folder`, removed at the end. Raises SystemExit if git can't make it."""
    made = subprocess.run(
        ["git", "worktree", "add", "--detach", str(folder), revision], cwd=ROOT, capture_output=True, text=True
    )
    if made.returncode != 0:
        raise SystemExit(f"git can't check out {revision}: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=ROOT, check=True)


def commit_at(folder: Path) -> str:
    """The commit that is checked out in a folder."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return found.stdout.strip()


def recipe_words(env_id: str, config: type) -> dict[str, str]:
    """A game's recipe as a command with the settings `config` takes it: the word for each flag."""
    recipe, words = recipe_of(env_id), {}
    taken = {setting.name for setting in fields(config)} - NOT_OF_THE_RECIPE
    for setting in fields(recipe):
        if setting.name in taken:
            flag, value = setting.name.replace("_", "-"), getattr(recipe, setting.name)
            if isinstance(value, bool):
                flag = f"--{flag}" if value else f"--no-{flag}"
                words[flag] = flag
            else:
                words[f"--{flag}"] = f"--{flag}={value}"
    return words


def recipe_flags(env_id: str, config: type, known: Known) -> list[str]:
    """The words of `recipe_words` whose flags are known."""
    return [word for flag, word in recipe_words(env_id, config).items() if flag in known[config]]


def left_out(games: Collection[str], known: Known) -> list[str]:
    """The flags of the games' recipes that aren't known."""
    flags = {flag for game in games for config in MODULES for flag in recipe_words(game, config).keys() - known[config]}
    return sorted(flags)


def selfplay_flags(env_id: str, threads: int, known: Known) -> list[str]:
    """Flags of the actor: the loop's settings for a game, and the same games each time."""
    flags = flags_of(env_id=env_id, threads=threads, seed=SEED, wait_for_model=True)
    return [*flags, *recipe_flags(env_id, ActorConfig, known)]


def make_model(side: Side, env_id: str, database: Path, run: RunFolder, known: Known) -> bytes:
    """The file of the loop's network for a game, trained for MODEL_STEPS by one side."""
    words = trainer_command(run, database, env_id=env_id, steps=MODEL_STEPS)
    side.run([*words, *recipe_flags(env_id, TrainerConfig, known)])
    return run.latest_model.read_bytes()


def selfplay(side: Side, model: bytes, run: RunFolder, flags: Sequence[str]) -> Workload:
    """The actor of one side, with this model in a run of its own."""
    place_model(run.path, model)
    files = flags_of(data_dir=run.path, replay_db_path=run.replay, log_level="ERROR")
    return side.workload(["-m", "trainer.actor", *flags, *files], run.actor_stats, POSITIONS)


def training(side: Side, step: TrainingStep, database: Path, run: RunFolder, known: Known) -> Workload:
    """The trainer of one side, which never ends and publishes no model."""
    rare = flags_of(checkpoint_interval=NEVER, log_interval=NEVER, stats_interval=step.stats_interval)
    words = trainer_command(run, database, steps=NEVER)
    return side.workload([*words, *step.flags(known), *rare], run.stats, "step")


def trainer_command(run: RunFolder, database: Path, **settings: object) -> list[str]:
    """Arguments of Python that train in a run of its own, on the rows of `database`."""
    files = flags_of(db=database, model_dir=run.models, stats=run.stats, log_level="ERROR")
    return ["-m", "trainer", *files, *flags_of(seed=SEED, **settings)]


def measure(now: Workload, then: Workload, options: argparse.Namespace) -> tuple[list[Turn], list[Turn]]:
    """The turns of both, two of each in a round, after a turn of each that doesn't count."""
    with ready(now, then):
        now.turn(options.warm_up)
        then.turn(options.warm_up)
        first, second, third, fourth = alternate(
            options.rounds,
            lambda: now.turn(options.seconds),
            lambda: then.turn(options.seconds),
            lambda: then.turn(options.seconds),
            lambda: now.turn(options.seconds),
        )
    return in_pairs(first, fourth), in_pairs(second, third)


def in_pairs(one: list[Turn], other: list[Turn]) -> list[Turn]:
    """Both lists as one: the first of each, then the second of each, and so on."""
    return [turn for pair in zip(one, other, strict=True) for turn in pair]


def compare(now: Side, then: Side, folder: Path, options: argparse.Namespace, known: Known) -> Iterator[Line]:
    """Measure everything, line by line; `folder` is for what is made on the way."""
    databases = {env_id: folder / f"{env_id}.db" for env_id in GAMES}
    for env_id, database in databases.items():
        make_rows(database, env_id, ROWS)
    sides = {"now": now, "then": then}
    for env_id in options.games:
        model = make_model(then, env_id, databases[env_id], RunFolder(folder / f"{env_id}-model"), known)
        flags = selfplay_flags(env_id, options.threads, known)
        actors = {
            name: selfplay(side, model, RunFolder(folder / f"{env_id}-{name}"), flags) for name, side in sides.items()
        }
        now_turns, then_turns = measure(actors["now"], actors["then"], options)
        what = f"self-play, {env_id}"
        yield Line(what, "simulations/s", "simulations", now_turns, then_turns)
        yield Line(what, "positions/s", POSITIONS, now_turns, then_turns, decides=False)
    for step in TRAINING_STEPS:
        runs = {name: RunFolder(folder / f"{step.env_id}-training-{name}") for name in sides}
        trainers = {
            name: training(side, step, databases[step.env_id], runs[name], known) for name, side in sides.items()
        }
        now_turns, then_turns = measure(trainers["now"], trainers["then"], options)
        yield Line(f"training, {step.env_id}, batch {step.batch_size}", "steps/s", "step", now_turns, then_turns)


def print_row(cells: Sequence[str]) -> None:
    """A row of a Markdown table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("commit", help="the earlier commit, such as f877e30")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of four turns each (default: 5)")
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of a turn (default: 10)")
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before the first turn (default: 20)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of self-play (default: all)")
    parser.add_argument("--games", nargs="*", choices=GAMES, default=GAMES, help="games of self-play (default: all)")
    parser.add_argument("--least", type=float, default=0.97, help="smallest ratio that is accepted (default: 0.97)")
    parser.add_argument("--work", type=Path, default=ROOT / "build/against", help="folder for temporary files")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and judge."""
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that halted processes are ended, too
    options.work.mkdir(parents=True, exist_ok=True)
    failed = False
    with (
        tempfile.TemporaryDirectory(dir=options.work.resolve(), ignore_cleanup_errors=True) as made,
        checked_out(options.commit, Path(made) / "then") as checkout,
    ):
        folder = Path(made)
        now, then = Side.at(ROOT, folder / "now-cache"), Side.at(checkout, folder / "then-cache")
        print(f"now {commit()}, then {commit_at(checkout)}; {describe_machine()['cpu']}", flush=True)
        print(f"{options.rounds} rounds of now, then, then, now; {options.seconds:g} s a turn; median (min to max)\n")
        known = then.known()
        if unknown := left_out({*options.games, *(step.env_id for step in TRAINING_STEPS if step.loop)}, known):
            print(f"left out, because the earlier commit doesn't know them: {', '.join(unknown)}\n")
        print_row(COLUMNS)
        print_row(["---"] * len(COLUMNS))
        for line in compare(now, then, folder, options, known):
            print_row(line.cells(options.least))
            failed = failed or line.fails(options.least)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
