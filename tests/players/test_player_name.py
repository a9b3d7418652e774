"""What the name of a player says."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.core.errors import ConfigError
from trainer.players import PlayerName


@pytest.mark.parametrize(
    ("text", "kind", "rest", "plies", "searches"),
    [
        ("random", "random", "", None, False),
        ("search", "search", "", None, True),
        ("rollouts", "rollouts", "", None, True),
        ("perfect", "perfect", "", None, False),
        ("minimax", "minimax", "", None, False),
        ("minimax:8", "minimax", "8", 8, False),
        ("gtp: gnugo --mode gtp", "gtp", " gnugo --mode gtp", None, False),
        ("uci: x", "uci", " x", None, True),
        ("uci: x; go movetime 9", "uci", " x; go movetime 9", None, False),
        ("a/bot.py", "function", "a/bot.py", None, False),
    ],
)
def test_a_name_is_taken_apart(text: str, kind: str, rest: str, plies: int | None, searches: bool) -> None:
    """None of these is a model."""
    name = PlayerName.read(text)
    assert (name.kind, name.rest, name.plies, name.searches, name.model) == (kind, rest, plies, searches, None)


@pytest.mark.parametrize(
    "text", ["a.onnx", "random.onnx", "gtp", "uci", "pretrained", "c:/models/a.onnx", "Random", ""]
)
def test_every_other_name_is_the_path_of_a_model(text: str) -> None:
    """Whether there is one is asked later."""
    name = PlayerName.read(text)
    assert (name.kind, name.model, name.searches) == ("model", Path(text), True)


@pytest.mark.parametrize("text", ["minimax:", "minimax:0", "minimax:31", "minimax:x", "minimax: 8", "minimax:\u00b2"])
def test_plies_are_a_number(text: str) -> None:
    """From 1 to 30."""
    with pytest.raises(ConfigError, match="should look 1 to 30 plies ahead, as in minimax:8"):
        PlayerName.read(text)
