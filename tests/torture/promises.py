"""What must hold of a run's folder after any death: the promises of docs/reliability.md."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from trainer.evaluators.loader import ModelLoader
from trainer.run.folder import ACTOR_STATS_FILE
from trainer.run.model_files import LATEST, stored_models
from trainer.training.checkpoint import load_checkpoint


def check(folder: Path, env_id: str, games_before: int = 0, keeps_all: bool = True) -> None:
    """Raise AssertionError where a promise is broken; `games_before` were stored before the actors began to count.

    `keeps_all`: no old games are deleted.
    """
    games = check_database(folder / "replay.db")
    actors = folder / ACTOR_STATS_FILE
    if actors.exists():
        counted = json.loads(actors.read_bytes())["episodes_completed"]
        assert not keeps_all or counted <= games - games_before, (
            f"{counted} games were counted, {games - games_before} are stored"
        )
    models = folder / "models"
    for path in (*stored_models(models), models / LATEST):
        if path.exists():
            ModelLoader(env_id).load(path)
    load_checkpoint(models, env_id)
    stats = folder / "stats.json"
    if stats.exists():
        assert json.loads(stats.read_bytes())["step"] >= 0


def check_database(path: Path) -> int:
    """The games in a database, which is whole and has whole games only; 0 where there is none."""
    return len(whole_games(path))


def whole_games(path: Path) -> dict[str, int]:
    """The rows of each game in such a database, by its id; none where there is no database."""
    if not path.exists() or path.stat().st_size == 0:
        return {}
    connection = sqlite3.connect(path, timeout=30)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'transitions'").fetchone() == (0,):
            return {}
        games = connection.execute(
            "SELECT episode_id, count(*), min(step_number), max(step_number), sum(done), max(done * step_number) "
            "FROM transitions GROUP BY episode_id"
        ).fetchall()
    finally:
        connection.close()
    for episode, rows, first, last, ends, end in games:  # the first is 0, or the end of a random opening
        assert (last, ends, end) == (first + rows - 1, 1, last), f"half of the game {episode} is stored"
    return {episode: rows for episode, rows, *_ in games}


def leftovers(folder: Path) -> list[str]:
    """Temporary files below a folder."""
    return [str(path) for path in folder.rglob(".tmp-*")]
