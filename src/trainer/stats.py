"""What a run measures: `stats.json` of the trainer, `actor_stats.json` of the actors, the evaluations between them.

Each file has one kind of writer. The trainer owns `stats.json`; whoever evaluates appends to `evaluations.jsonl`, and the
trainer takes the results over into `stats.json`. Actors share `actor_stats.json` under a lock; its top level is the sum.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from trainer.files import is_alive, is_number, json_object, locked, read_json_object, write_json

HISTORY_POINTS = 600
"""A history longer than this is thinned: its older half keeps every second point."""
EVALUATIONS_FILE = "evaluations.jsonl"
ACTOR_STATS_FILE = "actor_stats.json"
RATES = ("episodes_per_second", "positions_per_second", "simulations_per_second")
"""What an actor that has ended does no more; its counts stay."""


@dataclass(frozen=True)
class TrainingPoint:
    """The losses at one step."""

    step: int
    total_loss: float
    policy_loss: float
    value_loss: float
    learning_rate: float


@dataclass
class TrainingStats:
    """The content of stats.json."""

    env_id: str
    total_steps: int
    step: int = 0
    total_loss: float = 0.0
    policy_loss: float = 0.0
    value_loss: float = 0.0
    learning_rate: float = 0.0
    samples_seen: int = 0
    replay_buffer_size: int = 0
    bad_rows: int = 0
    last_checkpoint: str = ""
    history: list[TrainingPoint] = field(default_factory=list)

    def record(self, point: TrainingPoint) -> None:
        """Make `point` the newest; older history is thinned so that it stays bounded over any number of steps."""
        self.step, self.learning_rate = point.step, point.learning_rate
        self.total_loss, self.policy_loss, self.value_loss = point.total_loss, point.policy_loss, point.value_loss
        self.history.append(point)
        if len(self.history) > HISTORY_POINTS:
            older = len(self.history) // 2
            self.history[:older] = self.history[:older:2]

    def fields(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    def restore(self, fields: dict[str, Any]) -> None:
        """Become what `fields` were of, but for the length of the run."""
        total_steps = self.total_steps
        vars(self).update(fields)
        self.history = [TrainingPoint(**point) for point in fields["history"]]
        self.total_steps = total_steps

    def write(self, path: Path) -> None:
        """Replace stats.json, with the evaluations that were appended beside it."""
        evaluations = read_evaluations(path.parent / EVALUATIONS_FILE)
        content = self.fields() | {
            "timestamp": int(time.time()),
            "last_eval": evaluations[-1] if evaluations else None,
            "eval_history": evaluations,
        }
        write_json(path, content)


def append_evaluation(folder: Path, evaluation: dict[str, Any]) -> None:
    """Add an evaluation to those of a run, in one write, on a line of its own also after a line that was cut short."""
    with open(folder / EVALUATIONS_FILE, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
        gap = b"" if file.read(1) in (b"", b"\n") else b"\n"
        file.write(gap + json.dumps(evaluation, allow_nan=False).encode() + b"\n")


def read_evaluations(path: Path) -> list[dict[str, Any]]:
    """All evaluations of a run, oldest first; a line that is damaged or still being written is left out."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [evaluation for line in lines if (evaluation := json_object(line)) is not None]


def merge_evaluations(path: Path) -> None:
    """Take the newest evaluations over into a stats.json that no trainer writes any more."""
    content = read_json_object(path)
    evaluations = read_evaluations(path.parent / EVALUATIONS_FILE)
    if content is not None and evaluations:
        write_json(path, content | {"last_eval": evaluations[-1], "eval_history": evaluations})


@dataclass
class ActorStats:
    """What one actor did since it started."""

    env_id: str
    episodes_completed: int = 0
    total_steps: int = 0
    simulations: int = 0
    player1_wins: int = 0
    player2_wins: int = 0
    draws: int = 0
    episodes_per_second: float = 0.0
    positions_per_second: float = 0.0
    simulations_per_second: float = 0.0
    runtime_seconds: float = 0.0
    mcts_avg_inference_us: float = 0.0
    model_step: int | None = None
    timestamp: int = 0
    process: int = field(default_factory=os.getpid)

    def write(self, path: Path, actor_id: str) -> None:
        """Replace this actor's part of actor_stats.json and the sums over all actors."""
        self.timestamp = int(time.time())
        with locked(path):
            actors = read_actors(path, self.env_id)
            gone = [key for key, actor in actors.items() if not is_alive(int(actor["process"]))]
            for key in gone:
                if key.rpartition("-")[0] == actor_id:
                    del actors[key]
                else:
                    actors[key] |= dict.fromkeys(RATES, 0.0)
            actors[f"{actor_id}-{self.process}"] = asdict(self)
            write_json(path, sum_of_actors(self.env_id, list(actors.values())) | {"actors": actors})


def read_actors(path: Path, env_id: str) -> dict[str, dict[str, Any]]:
    """What each actor of this game counted by now; none from a file, or an entry, that is damaged."""
    content = read_json_object(path) or {}
    actors = content.get("actors")
    if content.get("env_id") != env_id or not isinstance(actors, dict):
        return {}
    return {
        key: actor
        for key, actor in actors.items()
        if isinstance(actor, dict) and is_whole(actor, number_fields(ActorStats))
    }


def is_whole(content: dict[str, Any], numbers: Iterable[str]) -> bool:
    """Whether `content` has all these numbers."""
    return all(is_number(content.get(name)) for name in numbers)


def number_fields(kind: type) -> list[str]:
    """The fields of a dataclass that are numbers."""
    return [field.name for field in fields(kind) if field.type in ("int", "float")]


def sum_of_actors(env_id: str, actors: list[dict[str, Any]]) -> dict[str, Any]:
    """The fields of the contract's /actor-stats: counts and rates added, averages weighted; zeros for no actors."""

    def total(name: str) -> Any:
        return sum(actor.get(name, 0) for actor in actors)  # an actor of an earlier version may lack one

    episodes, steps = total("episodes_completed"), total("total_steps")
    weights = [max(actor["total_steps"], 1) for actor in actors]
    waits = [actor["mcts_avg_inference_us"] for actor in actors]
    return {
        "env_id": env_id,
        "episodes_completed": episodes,
        "total_steps": steps,
        "simulations": total("simulations"),
        "player1_wins": total("player1_wins"),
        "player2_wins": total("player2_wins"),
        "draws": total("draws"),
        "avg_episode_length": steps / episodes if episodes else 0.0,
        **{rate: total(rate) for rate in RATES},
        "runtime_seconds": max((actor["runtime_seconds"] for actor in actors), default=0.0),
        "mcts_avg_inference_us": sum(w * v for w, v in zip(weights, waits, strict=True)) / (sum(weights) or 1),
        "timestamp": max((actor["timestamp"] for actor in actors), default=0),
    }
