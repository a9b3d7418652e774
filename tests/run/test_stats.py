"""What a run measures stays small, and sums are sums."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from waiting import dead_process

from trainer.run.actor_stats import ActorStats, ActorTotals
from trainer.run.actor_stats_file import CLUSTER, LONG_AGO, MOST_ENDED, write_actor, write_actors
from trainer.run.evaluations import EvaluationLog, thinned
from trainer.run.training_statistics import (
    EVALUATIONS,
    WRITE_EVERY,
    StatsFile,
    TrainingPoint,
    TrainingStats,
    merge_evaluations,
)


def point(step: int) -> TrainingPoint:
    """A point whose numbers tell its step."""
    return TrainingPoint(step, step + 0.5, step + 0.25, step + 0.125, 0.1, step + 0.0625)


def test_history_stays_bounded_and_even() -> None:
    """Of 100,000 points at most 600 stay, at one distance, and the newest is always there."""
    stats = TrainingStats("tictactoe", 1_000_000)
    for step in range(10, 1_000_001, 10):
        stats.record(point(step))
        assert stats.history[-1].step == step
        assert len(stats.history) <= 600
    steps = [entry.step for entry in stats.history]
    assert len(steps) > 300
    assert steps[0] == 10
    assert len(set(np.diff(steps[:-1]))) == 1
    assert (stats.step, stats.total_loss, stats.policy_loss, stats.value_loss) == (
        1e6,
        1e6 + 0.5,
        1e6 + 0.25,
        1e6 + 0.125,
    )
    stats.record(point(1_000_007))  # where the run was interrupted
    stats.record(point(1_000_010))
    assert [entry.step for entry in stats.history][-2:] == [steps[-2], 1_000_010]


def test_stats_json_is_written_a_few_times_per_second_and_at_the_end(tmp_path: Path) -> None:
    """By a clock that moves on by a hundredth of a second per step; what isn't written is still recorded."""
    seconds = [0.0]
    stats = TrainingStats("tictactoe", 1000)
    file = StatsFile(tmp_path / "stats.json", EvaluationLog(tmp_path / "evaluations.jsonl"), clock=lambda: seconds[0])
    written = []
    for step in range(1, 101):
        seconds[0] = step / 100
        stats.record(point(step))
        file.write(stats, at_once=step == 100)
        newest = json.loads((tmp_path / "stats.json").read_text())["step"]
        if newest not in written:
            written.append(newest)
    gap = round(100 * WRITE_EVERY)
    assert written == [*range(1, 100, gap), 100]
    assert [entry["step"] for entry in json.loads((tmp_path / "stats.json").read_text())["history"]] == [*range(1, 101)]


def test_a_write_that_fails_is_not_tried_again_at_once(tmp_path: Path) -> None:
    """While the disk is full the next attempt waits for its time, so that the log isn't filled with errors."""
    seconds = [0.0]
    (tmp_path / "stats.json").mkdir()
    file = StatsFile(tmp_path / "stats.json", EvaluationLog(tmp_path / "evaluations.jsonl"), clock=lambda: seconds[0])
    with pytest.raises(OSError, match="directory"):
        file.write(TrainingStats("tictactoe", 1000))
    file.write(TrainingStats("tictactoe", 1000))
    seconds[0] = WRITE_EVERY
    with pytest.raises(OSError, match="directory"):
        file.write(TrainingStats("tictactoe", 1000))


def test_evaluations_reach_stats_json(tmp_path: Path) -> None:
    """While the trainer writes, and after it has ended; a line that is half written is left out."""
    path = tmp_path / "stats.json"
    stats = TrainingStats("tictactoe", 10)
    log = EvaluationLog(tmp_path / "evaluations.jsonl")
    EvaluationLog(tmp_path / "evaluations.jsonl").append({"step": 1})
    StatsFile(path, log).write(stats)
    assert json.loads(path.read_text())["last_eval"] == {"step": 1}
    EvaluationLog(tmp_path / "evaluations.jsonl").append({"step": 2})
    merge_evaluations(path, log)
    assert json.loads(path.read_text())["last_eval"] == {"step": 2}
    assert json.loads(path.read_text())["eval_history"] == [{"step": 1}, {"step": 2}]
    with open(tmp_path / "evaluations.jsonl", "a") as file:
        file.write('{"step": 3')
    assert log.read() == EvaluationLog(tmp_path / "evaluations.jsonl").read() == [{"step": 1}, {"step": 2}]
    (tmp_path / "evaluations.jsonl").rename(tmp_path / "old")
    assert log.read() == []
    EvaluationLog(tmp_path / "evaluations.jsonl").append({"step": 5})
    assert log.read() == [{"step": 5}]


def test_many_evaluations_are_thinned_evenly_in_stats_json(tmp_path: Path) -> None:
    """The oldest and the newest ten are there, and up to 100 before those, at one distance."""
    many = [{"step": step} for step in range(1000)]
    for count in range(1, 1001):
        kept = [entry["step"] for entry in thinned(many[:count], EVALUATIONS)]
        assert len(kept) <= 100 + 10
        assert (kept[0], kept[-10:]) == (0, list(range(max(count - 10, 0), count)))
        assert len(set(np.diff(kept[:-10]))) <= 1


def test_the_sum_over_actors_adds_counts_and_weights_averages() -> None:
    """Two actors of 10 and 30 positions that waited 1 and 5 microseconds: 4 on average."""
    actors = [
        {**vars(ActorStats("tictactoe")), "episodes_completed": 2, "total_steps": 10, "mcts_avg_inference_us": 1.0},
        {**vars(ActorStats("tictactoe")), "episodes_completed": 3, "total_steps": 30, "mcts_avg_inference_us": 5.0},
    ]
    actors[1]["opening_plies"] = 5  # which were played and not stored
    total = ActorTotals.of("tictactoe", actors)
    assert (total.episodes_completed, total.total_steps, total.avg_episode_length) == (5, 40, 9.0)
    assert total.mcts_avg_inference_us == 4.0


def test_an_actor_that_has_ended_keeps_its_games_but_not_its_speed(tmp_path: Path) -> None:
    """One that is dead and one that writes: 5 games in all, at the speed of the second."""
    path = tmp_path / "actor_stats.json"
    first = ActorStats("tictactoe", 2, episodes_per_second=7.0, simulations_per_second=70.0, process=dead_process())
    write_actor(path, "first", first)
    second = ActorStats("tictactoe", 3, episodes_per_second=1.0, simulations_per_second=10.0)
    write_actor(path, "second", second)
    total = json.loads(path.read_text())
    assert (total["episodes_completed"], total["episodes_per_second"], total["simulations_per_second"]) == (5, 1, 10)


def test_an_actor_that_starts_again_goes_on_with_the_count(tmp_path: Path) -> None:
    """As after `--resume`; of very many that ended long ago only the latest have an entry, but none is forgotten."""
    path, now = tmp_path / "actor_stats.json", 1_800_000_000
    before = MOST_ENDED + 20
    for number in range(before):
        entry = asdict(ActorStats("tictactoe", 1, space="elsewhere")) | {"timestamp": now - LONG_AGO - before + number}
        write_actors(path, "tictactoe", {f"actor-1-{number}": entry}, now)
    write_actors(path, "tictactoe", {"actor-1-new": asdict(ActorStats("tictactoe", 1, timestamp=now))}, now)
    total = json.loads(path.read_text())
    assert total["episodes_completed"] == before + 1
    assert len(total["actors"]) == MOST_ENDED + 2


def test_players_that_come_back_are_counted_once(tmp_path: Path) -> None:
    """More of them than entries that are kept, silent for longer than after which they count as ended."""
    path, now = tmp_path / "actor_stats.json", 1_800_000_000
    stats = asdict(ActorStats("tictactoe", 10, space=CLUSTER)) | {"timestamp": now}
    players = {f"player-{number}": stats for number in range(MOST_ENDED + 50)}
    for seconds in (0, 10, 20, 60, 70):
        back = seconds == 70
        heard = {name: one | {"timestamp": now + seconds} for name, one in players.items()} if back else players
        write_actors(path, "tictactoe", heard if seconds != 60 else {}, now + seconds)
        assert json.loads(path.read_text())["episodes_completed"] == 10 * len(players)


def test_no_actor_means_zeros() -> None:
    """As the contract says."""
    total = ActorTotals.of("tictactoe", [])
    assert total == ActorTotals("tictactoe")
    assert set(asdict(total).values()) == {"tictactoe", 0}
