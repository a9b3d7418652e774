"""Actors of other machines and containers share the statistics of a run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from waiting import dead_process

from trainer.run.actor_stats import COUNTS, ActorStats
from trainer.run.actor_stats_file import EARLIER, LONG_AGO, MOST_ENDED, SILENCE, write_actor, write_actors


def rate_beside(folder: Path, other: ActorStats, age: int = 0) -> float:
    """The summed games/s once another actor, whose last word is `age` seconds old, has written and then one of ours."""
    path = folder / "actor_stats.json"
    write_actor(path, "other", other)
    content = json.loads(path.read_text())
    for actor in content["actors"].values():
        actor["timestamp"] -= age
    path.write_text(json.dumps(content))
    write_actor(path, "ours", ActorStats("tictactoe", episodes_per_second=1.0))
    return float(json.loads(path.read_text())["episodes_per_second"])


def test_a_process_id_of_another_container_says_nothing(tmp_path: Path) -> None:
    """Its actor counts while it writes, whatever runs here under that number, and no longer after a minute of silence."""
    other = ActorStats("tictactoe", episodes_per_second=2.0, process=dead_process(), space="elsewhere")
    assert rate_beside(tmp_path / "a", other) == 3
    assert rate_beside(tmp_path / "b", other, age=SILENCE + 1) == 1


def content_of(folder: Path) -> dict[str, Any]:
    """actor_stats.json."""
    content: dict[str, Any] = json.loads((folder / "actor_stats.json").read_text())
    return content


@pytest.mark.parametrize("count", COUNTS)
def test_an_actor_of_an_earlier_version_that_lacks_a_count_is_kept(tmp_path: Path, count: str) -> None:
    """Its other counts belong to the run, whoever writes the file next. A count that is no number is damage."""
    path, whole = tmp_path / "actor_stats.json", asdict(ActorStats("tictactoe", **dict.fromkeys(COUNTS, 3)))
    old = {name: value for name, value in whole.items() if name != count}
    path.write_text(json.dumps({"env_id": "tictactoe", "actors": {"old": old, "damaged": whole | {count: "many"}}}))
    ours = ActorStats("tictactoe", **dict.fromkeys(COUNTS, 1))
    for _ in range(2):
        write_actor(path, "ours", ours)
    content = content_of(tmp_path)
    assert "damaged" not in content["actors"]
    assert content["actors"]["old"] == old
    for name in set(COUNTS) - {"opening_plies"}:
        assert content[name] == (1 if name == count else 4)


def test_actors_that_are_summed_up_leave_their_longest_time_and_their_mean(tmp_path: Path) -> None:
    """Three more than have an entry of their own have ended, the first of them after ten hours of play."""
    path, process = tmp_path / "actor_stats.json", dead_process()
    ended = {
        f"a-{number:03d}": asdict(
            ActorStats(
                "tictactoe",
                total_steps=1 + number % 2,
                runtime_seconds=60.0 if number else 36_000.0,
                mcts_avg_inference_us=1.0 if number % 2 else 4.0,
                timestamp=number,
                process=process,
            )
        )
        for number in range(MOST_ENDED + 3)
    }
    for actors in (ended, {}, {}):
        write_actors(path, "tictactoe", actors, 10 * LONG_AGO)
    content = content_of(tmp_path)
    assert set(content["actors"]) == {EARLIER, *sorted(ended)[3:]}
    earlier = content["actors"][EARLIER]
    assert (earlier["total_steps"], earlier["timestamp"]) == (1 + 2 + 1, 2)
    assert earlier["runtime_seconds"] == content["runtime_seconds"] == 36_000
    assert earlier["mcts_avg_inference_us"] == (4 + 2 * 1 + 4) / 4
