"""The folder of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_files import put_stats

from trainer.run.actor_statistics import ActorStats
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder, set_aside


@pytest.mark.parametrize("models", [True, False], ids=["an empty folder of models", "none"])
def test_statistics_of_a_run_without_models_are_set_aside(tmp_path: Path, models: bool) -> None:
    """Else the new run would go on with them: somebody deleted the models, or the run ended before the first."""
    run = RunFolder(tmp_path)
    if models:
        run.models.mkdir()
    put_stats(tmp_path, "tictactoe", 20)
    EvaluationLog(tmp_path).append({"step": 20})
    ActorStats("tictactoe", 5).write(run.actor_stats, "actor-1")
    old = set_aside(run.models, run.stats)
    assert old is not None
    assert sorted(path.name for path in old.iterdir()) == ["actor_stats.json", "evaluations.jsonl", "stats.json"]
    assert not any(path.exists() for path in (run.stats, run.evaluations, run.actor_stats))


def test_the_statistics_of_an_actor_that_has_begun_already_stay(tmp_path: Path) -> None:
    """The trainer of a new run finds them when it starts after the actor."""
    run = RunFolder(tmp_path)
    ActorStats("tictactoe", 5).write(run.actor_stats, "actor-1")
    assert set_aside(run.models, run.stats) is None
    assert run.actor_stats.exists()
