"""The models that come with the package, and the word that names them."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from random_models import model_file, random_network

import trainer
from trainer import pretrained
from trainer.core.errors import ModelError
from trainer.evaluator import main as evaluate
from trainer.evaluators.loader import ModelLoader
from trainer.play.table import path_of
from trainer.players import PlayerName, named_player
from trainer.settings.play import PlayConfig
from trainer.web.runs.models import Models
from trainer.web.runs.runs import Runs

MOST_BYTES = 3_000_000


@pytest.mark.parametrize("env_id", pretrained.env_ids())
def test_each_fits_its_game_and_has_a_card(env_id: str) -> None:
    """Also if the rules were edited after it was trained: then it must be trained, or measured, again."""
    path = pretrained.FOLDER / f"{pretrained.file_name(env_id)}.onnx"
    assert path.stat().st_size <= MOST_BYTES
    assert env_id == next(entry.value for entry in onnx.load(path).metadata_props if entry.key == "env_id")
    model = trainer.load_model("pretrained", env_id=env_id)
    position = trainer.new_position(env_id)
    assert model.best_move(position) in position.legal
    card = path.with_suffix(".md").read_text()
    for word in (f"# The model of {env_id}", "**Training.**", "**Licence.**", "## Measurements", f"step {model.step}"):
        assert word in card


@pytest.fixture
def only_tictactoe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one model, and an empty folder to work in, which is returned."""
    shipped, empty = tmp_path / "shipped", tmp_path / "empty"
    shipped.mkdir()
    empty.mkdir()
    (shipped / "tictactoe.onnx").write_bytes(model_file("tictactoe", random_network("tictactoe", width=24)))
    monkeypatch.setattr(pretrained, "FOLDER", shipped)
    monkeypatch.chdir(empty)
    return empty


def test_the_word_names_the_model_of_the_game(only_tictactoe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For the evaluator, as a player and an opponent, and in Python."""
    words = ["--env-id", "tictactoe", "--games", "4", "--model", "pretrained", "--opponent", "pretrained"]
    assert evaluate(words) == 0, capsys.readouterr().err
    assert trainer.load_model("pretrained", env_id="tictactoe").step == 7
    assert named_player(PlayerName.read("pretrained"), ModelLoader("tictactoe"), 0, 1).name


def test_the_terminal_finds_the_run_of_make_run(only_tictactoe: Path) -> None:
    """It lies in `data` itself; a run of another game there is none of this one."""
    other = Path("data/models/latest.onnx")
    other.parent.mkdir(parents=True)
    other.write_bytes(model_file("connect4", random_network("connect4", width=16)))
    assert path_of(PlayConfig()) == pretrained.FOLDER / "tictactoe.onnx"
    other.write_bytes(model_file("tictactoe", random_network("tictactoe", width=16)))
    assert path_of(PlayConfig()) == other


def test_a_game_without_a_model_is_an_error() -> None:
    """That lists what there is; and so is the word without a game."""
    with pytest.raises(ModelError, match=r"^no model of dots:rows=2 comes with this package; there are .*hex:size=5, "):
        trainer.load_model("pretrained", env_id="dots:rows=2")
    with pytest.raises(ModelError, match=r"^pretrained is a model of many games; name one with"):
        trainer.load_model("pretrained")


def test_it_plays_where_there_is_no_run(only_tictactoe: Path) -> None:
    """On the page and in the terminal; a run's own model comes first."""
    file = Models(Runs(only_tictactoe)).of_game("tictactoe")
    assert file is not None
    assert file.current is not None
    assert file.current.step == 7
    assert Models(Runs(only_tictactoe)).of_game("connect4") is None
    assert path_of(PlayConfig()) == pretrained.FOLDER / "tictactoe.onnx"
    own = Path("data/tictactoe/models/latest.onnx")
    own.parent.mkdir(parents=True)
    own.write_bytes(model_file("tictactoe", random_network("tictactoe", width=16), step=9))
    assert path_of(PlayConfig()) == own
    run = Models(Runs(only_tictactoe / "data")).of_game("tictactoe")
    assert run is not None
    assert run.current is not None
    assert run.current.step == 9
