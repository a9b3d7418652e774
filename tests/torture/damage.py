"""Damaged inputs: `python -m torture.damage FOLDER [INPUTS]`.

Good files are mutated at random and read by forked workers, so that a crash of native code is a finding and not the end.
Each input must give a TrainerError or a correct result, within seconds and a bounded memory.
"""

from __future__ import annotations

import io
import os
import random
import resource
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from conftest import ForeignDatabase, add_random_play
from waiting import PATIENCE

from trainer.core.errors import TrainerError
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export import Exporter
from trainer.game_config import load_game_config, metadata_of
from trainer.games import game_of
from trainer.network import NetworkSettings, PolicyValueNetwork
from trainer.replay import ReplayBuffer
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import write_actor
from trainer.run.evaluations import EvaluationLog
from trainer.run.training_statistics import TrainingPoint, TrainingStats, merge_evaluations
from trainer.settings.trainer import TrainerConfig
from trainer.training.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, sealed
from trainer.training.learner import Learner

GAME = metadata_of(game_of("tictactoe"))
MEMORY = 2 * 2**30
"""Bytes that a worker may use at most."""
WORK = 100
"""Inputs of one worker."""


def mutated(content: bytes, generator: random.Random) -> bytes:
    """One to eight changes: bits, bytes, zeros, parts cut out, doubled or moved, the end cut off."""
    damaged = bytearray(content)
    for _ in range(generator.choice((1, 1, 1, 2, 4, 8))):
        if not damaged:
            return b""
        at = generator.randrange(len(damaged))
        size = min(generator.choice((1, 1, 2, 4, 16, 256, 4096)), len(damaged) - at)
        change = generator.randrange(8)
        if change <= 2:
            damaged[at] ^= 1 << generator.randrange(8)
        elif change == 3:
            damaged[at : at + size] = generator.randbytes(size)
        elif change == 4:
            damaged[at : at + size] = bytes(size)
        elif change == 5:
            del damaged[at : at + size]
        elif change == 6:
            damaged[at:at] = damaged[at : at + size]
        else:
            del damaged[generator.choice((at, len(damaged) - size)) :]
    return bytes(damaged)


def good_database(folder: Path) -> bytes:
    """200 rows of tic-tac-toe with metadata."""
    database = ForeignDatabase(folder / "good.db")
    database.metadata(width=3, height=3, actions=9, obs_size=29, offset=18)
    add_random_play(database, 200)
    database.connection.close()
    return (folder / "good.db").read_bytes()


def read_database(content: bytes, folder: Path) -> None:
    """What a trainer does at its start, and a step's sample."""
    path = folder / "damaged.db"
    path.write_bytes(content)
    with closing(ReplayBuffer(path, load_game_config("tictactoe", path).metadata)) as replay:
        replay.refresh()
        if len(replay):
            batch = replay.sample(np.random.default_rng(0), 32)
            assert np.isfinite(batch.observation).all()
            assert np.abs(batch.value_target).max() <= 1


def good_model(folder: Path) -> bytes:
    """A random network for tic-tac-toe."""
    torch.manual_seed(0)
    return Exporter(PolicyValueNetwork(GAME), GAME).to_bytes(1, np.zeros((1, GAME.obs_size), np.float32))


def read_model(content: bytes, folder: Path) -> None:
    """Load it and evaluate some rows: a distribution over the legal moves, and a number."""
    model = OnnxEvaluator(content, "damaged.onnx", GAME.env_id)
    rows = np.random.default_rng(0).integers(0, 2, (16, GAME.obs_size)).astype(np.float32)
    prior, value = model(rows, np.ones((16, GAME.num_actions), np.bool_))
    assert np.allclose(prior.sum(axis=1), 1, atol=1e-3)
    assert np.isfinite(value).all()
    assert model.step is None or model.step >= 0


def new_learner() -> Learner:
    """A learner with an average, as the checkpoint's."""
    return Learner(PolicyValueNetwork(GAME, NetworkSettings(width=16)), TrainerConfig(average=0.9))


def good_checkpoint(folder: Path) -> bytes:
    """The state of a small network."""
    torch.manual_seed(0)
    state = dict(np.random.default_rng(0).bit_generator.state)
    stats = TrainingStats(GAME.env_id, 20)
    stats.record(TrainingPoint(7, 1.5, 1.0, 0.5, 0.01))
    Checkpoint(GAME.env_id, 7, 1.5, new_learner().state(), state, stats.fields()).save(folder)
    return (folder / CHECKPOINT).read_bytes()


def read_checkpoint(content: bytes, folder: Path) -> None:
    """Load it and go on from it."""
    (folder / CHECKPOINT).write_bytes(content)
    checkpoint = load_checkpoint(folder, GAME.env_id)
    assert checkpoint is not None
    new_learner().restore(checkpoint.learner)
    np.random.default_rng().bit_generator.state = checkpoint.generator
    TrainingStats(GAME.env_id, 20).restore(checkpoint.stats)


def good_forgery(folder: Path) -> bytes:
    """The inner content of a checkpoint: it is damaged before its digest is made."""
    return good_checkpoint(folder).partition(b"\n")[2]


def read_forgery(content: bytes, folder: Path) -> None:
    """As a checkpoint."""
    read_checkpoint(sealed(content), folder)


def good_statistics(folder: Path) -> bytes:
    """The statistics of an actor."""
    (folder / "good.json").unlink(missing_ok=True)
    write_actor(folder / "good.json", "actor-1", ActorStats("tictactoe", episodes_completed=3, total_steps=20))
    return (folder / "good.json").read_bytes()


def read_statistics(content: bytes, folder: Path) -> None:
    """Everything that reads statistics and goes on with them: an actor, an evaluation, a loop at its end."""
    for name in ("actor_stats.json", "stats.json", "evaluations.jsonl"):
        (folder / name).write_bytes(content)
    write_actor(folder / "actor_stats.json", "actor-2", ActorStats("tictactoe", episodes_completed=1))
    EvaluationLog(folder / "evaluations.jsonl").append({"step": 1})
    assert EvaluationLog(folder / "evaluations.jsonl").read()[-1] == {"step": 1}
    merge_evaluations(folder / "stats.json", EvaluationLog(folder / "evaluations.jsonl"))


KINDS: dict[str, tuple[Callable[[Path], bytes], Callable[[bytes, Path], None]]] = {
    "database": (good_database, read_database),
    "model": (good_model, read_model),
    "checkpoint": (good_checkpoint, read_checkpoint),
    "checkpoint with a good digest": (good_forgery, read_forgery),
    "statistics": (good_statistics, read_statistics),
}


def work(read: Callable[[bytes, Path], None], good: bytes, numbers: range, folder: Path, kind: str) -> int:
    """Read some inputs in this process; returns how many were accepted. Leaves the one that is being read in a file."""
    accepted = 0
    for number in numbers:
        content = mutated(good, random.Random(f"{kind}-{number}"))
        (folder / "input").write_bytes(content)
        signal.alarm(int(PATIENCE))
        try:
            read(content, folder)
            accepted += 1
        except TrainerError as error:
            if "\n" in str(error):
                raise ValueError("more than a sentence") from error
    signal.alarm(0)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit < MEMORY, "it used too much memory"
    return accepted


def attack(kind: str, inputs: int, folder: Path) -> Counter[str]:
    """Read so many damaged inputs of a kind in forked workers; counts accepted, refused and found."""
    make, read = KINDS[kind]
    good = make(folder)
    read(good if kind != "statistics" else b"{}", folder)
    counts: Counter[str] = Counter()
    for start in range(0, inputs, WORK):
        numbers = range(start, min(start + WORK, inputs))
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # native libraries talk there
                accepted = work(read, good, numbers, folder, kind)
                os.write(sink, accepted.to_bytes(4, "big"))
                os._exit(0)
            except BaseException:
                trace = io.StringIO()
                traceback.print_exc(file=trace)
                os.write(sink, b"FAIL" + trace.getvalue()[-3000:].encode())
                os._exit(1)
        os.close(sink)
        with os.fdopen(source, "rb") as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            accepted = int.from_bytes(said, "big")
            counts["accepted"] += accepted
            counts["refused"] += len(numbers) - accepted
        else:
            kept = folder / f"finding-{kind.replace(' ', '-')}-{start}"
            (folder / "input").rename(kept)
            counts["found"] += 1
            print(
                f"{kind} {numbers}: status {status}, the input is {kept}\n{said.decode(errors='replace')}", flush=True
            )
    return counts


def main() -> None:
    """Every kind in turn; exit status 1 where anything was found."""
    folder, inputs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    folder.mkdir(parents=True)
    total: Counter[str] = Counter()
    for kind in KINDS:
        counts = attack(kind, inputs // len(KINDS), folder)
        total += counts
        print(f"{kind}: {counts['refused']} refused, {counts['accepted']} read, {counts['found']} findings", flush=True)
    print(
        f"{inputs:,} inputs: {total['refused']:,} refused, {total['accepted']:,} read right, {total['found']} findings"
    )
    sys.exit(total["found"] > 0)


if __name__ == "__main__":
    main()
