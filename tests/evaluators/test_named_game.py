"""Which game a model is evaluated at if nobody says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_models import linear_model, write_model

from trainer.core.errors import ModelError
from trainer.evaluators.named_game import chosen_game, game_named_in


def test_it_is_the_one_that_the_model_was_trained_for(tmp_path: Path) -> None:
    """Of several models the first that is there and names one; what is given goes before."""
    nameless = write_model(tmp_path / "nameless.onnx", "tictactoe")
    named = write_model(tmp_path / "named.onnx", "connect4", step=1)
    assert chosen_game(None, [named]) == "connect4"
    assert chosen_game(None, [tmp_path / "missing.onnx", nameless, named]) == "connect4"
    assert chosen_game("hex:size=5", [named]) == "hex:size=5"
    assert chosen_game("mystery", [named]) == "mystery"


def test_it_is_tictactoe_if_no_model_names_one(tmp_path: Path) -> None:
    """As in the contract, whose models need not name a game."""
    nameless = write_model(tmp_path / "nameless.onnx", "connect4")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    assert chosen_game(None, [nameless, broken, tmp_path / "missing.onnx"]) == "tictactoe"
    assert chosen_game(None, []) == "tictactoe"
    assert game_named_in(b"no model") is None


def test_pretrained_alone_names_no_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one for many games; what it plays against may name one. A folder of that name is none of ours."""
    monkeypatch.chdir(tmp_path)
    Path("pretrained").mkdir()
    named = write_model(tmp_path / "named.onnx", "connect4", step=1)
    assert chosen_game(None, [Path("pretrained"), named]) == "connect4"
    for models in ([Path("pretrained")], [Path("pretrained"), Path("pretrained")]):
        with pytest.raises(ModelError, match=r"^pretrained is a model of many games; name one with"):
            chosen_game(None, models)


def test_a_game_that_is_not_installed_must_be_given(tmp_path: Path) -> None:
    """A model file can't say which code runs."""
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(linear_model(np.zeros((4, 2), np.float32), value=0.0, metadata={"env_id": "nobodys"}))
    with pytest.raises(
        ModelError, match=r"foreign\.onnx is a model of 'nobodys', a game that is not installed; name the"
    ):
        chosen_game(None, [foreign])
