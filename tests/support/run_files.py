"""Files of a run, made without training: models with known outputs, stored games, statistics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from trainer.core.files import write_bytes
from trainer.game_config import metadata_of
from trainer.games import game_of, rules_of
from trainer.games.base import DRAW
from trainer.games.position import Position
from trainer.replay import Episode, ReplayWriter
from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import write_actor
from trainer.settings.trainer import TrainerConfig


def trainer_config(folder: Path, **settings: object) -> TrainerConfig:
    """Settings of a trainer whose files are all in one folder."""
    places: dict[str, Any] = {
        "db": folder / "replay.db",
        "model_dir": folder / "models",
        "stats": folder / "stats.json",
    }
    return TrainerConfig(**(places | settings))


EVALUATIONS = [
    {"step": 50 * at, "opponent": "random", "win_rate": 0.5 + 0.1 * at, "draw_rate": 0.1, "loss_rate": 0.4 - 0.1 * at}
    | {"games_played": 200, "timestamp": 1_700_000_000, "elo": 100.0 * at}
    for at in range(1, 4)
]
"""Three evaluations against random, for put_stats."""


def model_bytes(env_id: str, favourite: int = 0, step: int | None = None) -> bytes:
    """A model that gives one action nearly all the prior, and every position the value 0.25."""
    game = game_of(env_id)
    logits = np.zeros(game.num_actions, np.float32)
    logits[favourite] = 8.0
    weights = {
        "to_policy": np.zeros((game.obs_size, game.num_actions), np.float32),
        "logits": logits,
        "to_value": np.zeros((game.obs_size, 1), np.float32),
        "level": np.array([0.25], np.float32),
    }

    def tensor(name: str, width: int) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["observation", "to_policy", "logits"], ["policy_logits"]),
            helper.make_node("Gemm", ["observation", "to_value", "level"], ["value"]),
        ],
        "constant",
        [tensor("observation", game.obs_size)],
        [tensor("policy_logits", game.num_actions), tensor("value", 1)],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if step is not None:
        helper.set_model_props(model, {"env_id": env_id, "step": str(step)})
    content: bytes = model.SerializeToString()
    return content


def put_model(run: Path, env_id: str, favourite: int = 0, step: int | None = None) -> None:
    """Make the model of `model_bytes` the newest model of a run."""
    write_bytes(run / "models" / "latest.onnx", model_bytes(env_id, favourite, step))


def stored_game(env_id: str, actions: Sequence[int], number: int = 0) -> Episode:
    """A game as it is stored. The policy target is 3/4 on the move played, and all values are 0.5."""
    positions = [Position.first(rules_of(env_id))]
    visits = np.zeros((len(actions), game_of(env_id).num_actions), np.float32)
    for ply, action in enumerate(actions):
        legal = positions[-1].legal
        visits[ply, legal] = 0.25 / len(legal)
        visits[ply, action] += 0.75
        positions.append(positions[-1].play(action))
    winner = positions[-1].winner
    movers = [position.mover for position in positions[:-1]]
    outcomes = [0.0 if winner == DRAW else 1.0 if mover == winner else -1.0 for mover in movers]
    return Episode(
        env_id=env_id,
        episode_id=f"test-game-{number:03d}",
        states=np.stack([np.frombuffer(position.to_bytes(), np.uint8) for position in positions]),
        observations=np.stack([position.observation for position in positions]),
        actions=np.array(actions, np.uint32),
        visits=visits,
        values=np.full(len(actions), 0.5, np.float32),
        outcomes=np.array(outcomes, np.float32),
    )


def store_games(run: Path, env_id: str, games: Sequence[Sequence[int]]) -> None:
    """Store games, each a list of actions, in the replay database of a run."""
    writer = ReplayWriter(run / "replay.db", metadata_of(game_of(env_id)))
    for number, actions in enumerate(games):
        writer.write([stored_game(env_id, actions, number)])
    writer.close()


def put_run(run: Path) -> None:
    """A small tic-tac-toe run with every kind of file."""
    put_model(run, "tictactoe", step=50)
    put_stats(run, "tictactoe", 50, eval_history=[{"step": 20, "timestamp": 1_700_000_000, "win_rate": 0.5}])
    store_games(run, "tictactoe", ([0, 3, 1, 4, 2], [4, 0, 8, 1, 6, 2]))
    write_actor(run / "actor_stats.json", "actor-1", ActorStats("tictactoe", episodes_completed=2, total_steps=11))


def put_stats(run: Path, env_id: str, steps: int, **further: object) -> None:
    """Write a stats.json with a point every ten steps; `further` adds or replaces fields."""
    points = [
        {"step": at, "total_loss": 2 / at, "policy_loss": 1.5 / at, "value_loss": 0.5 / at, "learning_rate": 0.001}
        for at in range(10, steps + 1, 10)
    ]
    content = {"env_id": env_id, "total_steps": 1000, "timestamp": 1_700_000_000, **points[-1], "history": points}
    content |= {"samples_seen": steps * 64, "replay_buffer_size": 500, "last_checkpoint": "", **further}
    write_bytes(run / "stats.json", json.dumps(content).encode())
