"""The playthroughs: one game of each kind as readable text, written by `tests/support/playthrough.py`, checked by diff."""

from __future__ import annotations

import pytest
from playthrough import FOLDER, REGENERATE, playthrough, recorded_line

from trainer.games import ENV_IDS


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_playthrough_is_what_the_rules_make_of_its_actions(env_id: str) -> None:
    """A change of the rules, of the stored bytes or of the drawing shows as a diff that a person can review."""
    path = FOLDER / f"{env_id}.txt"
    assert path.exists(), f"{env_id} has no playthrough; write one by: {REGENERATE}"
    assert path.read_text() == playthrough(env_id, recorded_line(env_id)), f"if the change is meant: {REGENERATE}"
