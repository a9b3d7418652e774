"""What the loop says of a run so far."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from trainer.launch.summary import summary
from trainer.run.actor_stats import ActorStats, ActorTotals
from trainer.run.actor_stats_file import CLUSTER
from trainer.run.training_statistics import TrainingStats

NOW = 1_800_000_000


def test_every_number_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two of them are equal."""
    monkeypatch.setattr("trainer.launch.summary.time.time", lambda: NOW)
    actor = ActorStats("tictactoe", 1234, 56789, episodes_per_second=21.4, positions_per_second=4321.6)
    player = ActorStats("tictactoe", 17, 99, episodes_per_second=2.5, positions_per_second=1030.4, host="node-7")
    player.space, player.model_step, player.timestamp, player.back_pressure = CLUSTER, 40, NOW - 3, 0.25
    actors = asdict(ActorTotals.of("tictactoe", [asdict(actor)])) | {"actors": {"p-1-bb": asdict(player)}}
    losses = {"total_loss": 1.6254, "policy_loss": 1.2503, "value_loss": 0.3751}
    stats = TrainingStats("tictactoe", 9000, step=6100, replay_buffer_size=50500, **losses).fields()
    evaluation = {"win_rate": 0.704, "draw_rate": 0.2, "loss_rate": 0.096, "step": 5800, "elo": 123.4}
    assert summary("1:05", stats, actors, evaluation) == [
        ("time", "1:05"),
        ("self-play", "1,234 games, 56,789 positions"),
        ("speed", "21 games/s, 4,322 positions/s"),
        ("p-1-bb", "node-7, 2.5 games/s, 1,030 positions/s, model step 40, heard 3 s ago, waits 25%"),
        ("training", "step 6,100, 50,500 rows"),
        ("loss", "1.625 (policy 1.250, value 0.375)"),
        ("vs random", "70.4% win, 20.0% draw, 9.6% loss (step 5800)"),
        ("Elo", "+123 against earlier models of the run, without search"),
    ]


def test_before_anything_is_known() -> None:
    """The files of a run are empty, and no model was evaluated."""
    starting = "starting (a new game is compiled first, for up to a minute)"
    assert summary("0:01", {}, {}, None) == [("time", "0:01"), ("training", starting)]
