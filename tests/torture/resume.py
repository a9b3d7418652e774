"""A run that is killed and resumed ends as one that was left alone.

    python -m torture.resume FOLDER [STEPS [KILLS [DATABASES]]]

The default network on one or several finished databases, with everything that has a state: the average of the weights, the
schedule, mixed targets. Killed by SIGKILL at random steps.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import torch

from torture import promises
from trainer.__main__ import main as train
from trainer.network import Loss
from trainer.replay import Batch
from trainer.run.model_files import LATEST
from trainer.training.checkpoint import load_checkpoint
from trainer.training.learner import Learner

GAMES = 500
"""Of random play, in each database."""


def arguments(folder: Path, databases: str, steps: int) -> list[str]:
    """What `python -m trainer` is called with."""
    words = f"--db {databases} --model-dir {folder}/models --stats {folder}/stats.json --steps {steps}"
    words += f" --checkpoint-interval {steps // 50} --average 0.95 --q-weight 0.5 --log-interval 10000 --resume"
    return words.split()


def trainer(folder: Path, databases: str, steps: int) -> list[str]:
    """The run as a command."""
    return [sys.executable, "-m", "trainer", *arguments(folder, databases, steps)]


def train_and_die(steps: int, words: list[str]) -> None:
    """The run in this process, which kills itself (SIGKILL) before its step number `steps`, wherever it began."""
    learn, begun = Learner.learn, count(1)

    def learn_or_die(self: Learner, batch: Batch, learning_rate: float) -> Loss:
        if next(begun) == steps:
            os.kill(os.getpid(), signal.SIGKILL)
        return learn(self, batch, learning_rate)

    Learner.learn = learn_or_die  # type: ignore[method-assign]
    train(words)


def kill_at(folder: Path, step: int, done: int, words: list[str]) -> int:
    """Go on from step `done` and be killed in a later one; returns the step that the run can be resumed from."""
    command = [sys.executable, "-m", "torture.resume", "die", str(step - done), *words]
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode == -signal.SIGKILL
    promises.check(folder, "tictactoe")
    checkpoint = load_checkpoint(folder / "models", "tictactoe")
    return checkpoint.step if checkpoint else 0


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two states are not the same, bit for bit."""
    if isinstance(one, torch.Tensor):
        same = one.dtype == other.dtype and one.numpy().tobytes() == other.numpy().tobytes()
        return [] if same else [where]
    if isinstance(one, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list) and len(one) == len(other):
        return [found for key, part in enumerate(one) for found in differences(part, other[key], f"{where}.{key}")]
    return [] if one == other else [where]


def end(folder: Path) -> dict[str, Any]:
    """What a run ended in: losses, weights, averaged weights, optimizer, random state, the model."""
    checkpoint = load_checkpoint(folder / "models", "tictactoe")
    assert checkpoint is not None
    return {
        "history": json.loads((folder / "stats.json").read_bytes())["history"],
        "learner": checkpoint.learner,
        "generator": checkpoint.generator,
        "model": (folder / "models" / LATEST).read_bytes(),
    }


def main() -> None:
    """Both runs, side by side; prints where the second was killed."""
    folder = Path(sys.argv[1])
    steps, kills, count = (int(text) for text in (*sys.argv[2:5], *("100000", "5", "1")[len(sys.argv) - 2 :]))
    alone, killed, databases = folder / "alone", folder / "killed", f"{folder}/replay-*.db"
    folder.mkdir(parents=True)
    for number in range(count):
        words = f"trainer.actor --replay-db-path {folder}/replay-{number}.db --data-dir {folder}/actor-{number}"
        words += f" --max-episodes {GAMES} --seed {number} --log-level ERROR"
        subprocess.run([sys.executable, "-m", *words.split()], check=True, stdout=subprocess.DEVNULL)
    with open(folder / "alone.log", "wb") as log:
        left_alone = subprocess.Popen(trainer(alone, databases, steps), stderr=log)
    generator = random.Random("resume")
    moments = sorted(generator.sample(range(1, steps), kills))
    reached = [0]
    for moment in moments:
        reached.append(kill_at(killed, moment, reached[-1], arguments(killed, databases, steps)))
    subprocess.run(trainer(killed, databases, steps), check=True, stderr=subprocess.DEVNULL)
    assert left_alone.wait() == 0, (folder / "alone.log").read_text()
    found = differences(end(alone), end(killed))
    assert not found, f"the killed run ended otherwise in {found}"
    assert promises.leftovers(folder) == []
    print(
        f"{steps:,} steps, killed {kills} times, resumed after the steps {', '.join(f'{step:,}' for step in reached[1:])}: "
        "the same losses, weights, averaged weights, optimizer and model, bit for bit"
    )


if __name__ == "__main__":
    if sys.argv[1] == "die":
        train_and_die(int(sys.argv[2]), sys.argv[3:])
    main()
