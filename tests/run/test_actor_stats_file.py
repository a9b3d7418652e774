"""Actors of other machines and containers share the statistics of a run."""

from __future__ import annotations

import json
from pathlib import Path

from waiting import dead_process

from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import SILENCE, write_actor


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
