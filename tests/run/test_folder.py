"""The folder of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from run_files import put_stats

from trainer.run.actor_stats import ActorStats
from trainer.run.actor_stats_file import write_actor
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import RunFolder, set_aside
from trainer.run.model_files import LATEST


@pytest.mark.parametrize("models", [True, False], ids=["an empty folder of models", "none"])
def test_statistics_of_a_run_without_models_are_set_aside(tmp_path: Path, models: bool) -> None:
    """Else the new run would go on with them: somebody deleted the models, or the run ended before the first."""
    run = RunFolder(tmp_path)
    if models:
        run.models.mkdir()
    put_stats(tmp_path, "tictactoe", 20)
    EvaluationLog(run.evaluations).append({"step": 20})
    write_actor(run.actor_stats, "actor-1", ActorStats("tictactoe", 5))
    old = set_aside(run.models, run.stats)
    assert old is not None
    assert sorted(path.name for path in old.iterdir()) == ["actor_stats.json", "evaluations.jsonl", "stats.json"]
    assert not any(path.exists() for path in (run.stats, run.evaluations, run.actor_stats))


def test_the_statistics_of_an_actor_that_has_begun_already_stay(tmp_path: Path) -> None:
    """The trainer of a new run finds them when it starts after the actor."""
    run = RunFolder(tmp_path)
    write_actor(run.actor_stats, "actor-1", ActorStats("tictactoe", 5))
    assert set_aside(run.models, run.stats) is None
    assert run.actor_stats.exists()


@pytest.mark.parametrize("moved", range(6))
def test_a_run_whose_setting_aside_is_interrupted_can_be_resumed_or_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """After any number of its files: the checkpoint is still there, and the next start moves the rest."""
    run = RunFolder(tmp_path)
    put_stats(tmp_path, "tictactoe", 20)
    EvaluationLog(run.evaluations).append({"step": 20})
    write_actor(run.actor_stats, "actor-1", ActorStats("tictactoe", 5))
    run.models.mkdir()
    names = ["model_step_000010.onnx", "model_step_000020.onnx", run.checkpoint.name]
    for name in (*names, LATEST):
        (run.models / name).touch()
    move, left = shutil.move, [moved]

    def interrupted(source: Path, target: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        move(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "move", interrupted)
        with pytest.raises(KeyboardInterrupt):
            set_aside(run.models, run.stats)
    assert run.checkpoint.exists()
    assert set_aside(run.models, run.stats) is not None
    found = sorted(path.name for old in run.models.glob("old-*") for path in old.iterdir())
    assert found == sorted([*names, "actor_stats.json", "evaluations.jsonl", "stats.json"])
    assert [path.name for path in run.models.glob("*.onnx")] == [LATEST]
