"""The folder of a run before its processes start: what is kept of an earlier run, and what isn't."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from random_models import model_file, random_network
from run_files import stored_game

from trainer.core.errors import ConfigError, GameError, ModelError, ReplayError, TrainerError
from trainer.game_config import load_game_config
from trainer.games import find_game
from trainer.games.library import registry
from trainer.games.recipes import recipe_of
from trainer.launch.defaults import defaults_for
from trainer.launch.local import run_loop
from trainer.launch.preparation import prepare_folder
from trainer.replay import ReplayWriter
from trainer.run.folder import RunFolder
from trainer.run.record import LOOP, write_record
from trainer.settings.loop import LoopConfig

OWN_GAME = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"
OWN_NETWORK = """
import torch


class Network(torch.nn.Module):
    def __init__(self, layout):
        super().__init__()
        self.policy = torch.nn.Linear(layout.view_size, layout.num_actions)
        self.value = torch.nn.Linear(layout.view_size, 1)

    def forward(self, view):
        return self.policy(view), torch.tanh(self.value(view))


def network(layout, width, blocks):
    return Network(layout)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with a checkpoint."""
    run = RunFolder(tmp_path / "run")
    run.models.mkdir(parents=True)
    run.checkpoint.touch()
    return run


@pytest.fixture
def config(run: RunFolder) -> LoopConfig:
    """The settings of a new run in the folder of the earlier one."""
    return replace(recipe_of("tictactoe"), data_dir=run.path)


@pytest.fixture
def network_file(tmp_path: Path) -> Path:
    """A file with a network."""
    path = tmp_path / "mine.py"
    path.write_text(OWN_NETWORK)
    return path


def test_a_resumed_run_starts_from_its_own_copy_of_the_model(
    config: LoopConfig, run: RunFolder, tmp_path: Path
) -> None:
    """The original may be gone."""
    run.start.write_bytes(b"the model")
    again = replace(config, resume=True, start_from=tmp_path / "gone.onnx")
    assert prepare_folder(again, run).start_from == run.start
    assert run.start.read_bytes() == b"the model"
    assert run.checkpoint.exists()


def test_a_run_that_can_not_be_resumed_yet_keeps_the_model_that_it_starts_from(
    config: LoopConfig, run: RunFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As the first of several jobs that all say --resume. The next begins from the copy if there is no checkpoint yet."""
    caplog.set_level("INFO")
    run.checkpoint.unlink()
    assert config.width is not None
    original = tmp_path / "first.onnx"
    original.write_bytes(
        model_file("tictactoe", random_network("tictactoe", width=config.width, activation=config.activation))
    )
    resumed = replace(config, resume=True, start_from=original)
    assert prepare_folder(resumed, run).start_from == run.start
    assert run.start.read_bytes() == original.read_bytes()
    assert caplog.messages == [f"there is nothing to resume in {run.path}: a new run begins"]
    original.unlink()
    assert prepare_folder(resumed, run).start_from == run.start


def test_a_new_run_keeps_the_model_that_it_starts_from_also_if_the_earlier_run_made_it(
    config: LoopConfig, run: RunFolder
) -> None:
    """The earlier run is set aside, with the original."""
    assert config.width is not None
    content = model_file("tictactoe", random_network("tictactoe", width=config.width, activation=config.activation))
    original = run.models / "model_step_000010.onnx"
    original.write_bytes(content)
    assert prepare_folder(replace(config, start_from=original), run).start_from == run.start
    assert run.start.read_bytes() == content
    assert not original.exists()
    assert not run.checkpoint.exists()


def test_a_new_run_without_a_model_to_start_from_forgets_that_of_the_earlier_run(
    config: LoopConfig, run: RunFolder
) -> None:
    """Else `--resume` would take it."""
    run.start.write_bytes(b"the model")
    assert prepare_folder(config, run).start_from is None
    assert not run.start.exists()


def test_a_run_trains_the_network_of_its_own_copy(config: LoopConfig, run: RunFolder, network_file: Path) -> None:
    """Edits of the original change nothing while it runs, and are refused when it is resumed."""
    config = replace(config, network_file=network_file)
    copy = prepare_folder(config, run).network_file
    assert copy == run.models / "checkpoint-network.py"
    assert copy.read_text() == OWN_NETWORK
    run.checkpoint.touch()
    assert prepare_folder(replace(config, resume=True), run).network_file == copy
    network_file.write_text(OWN_NETWORK + "# edited")
    with pytest.raises(ConfigError, match=r"mine\.py isn't the file that the run began with"):
        prepare_folder(replace(config, resume=True), run)
    assert copy.read_text() == OWN_NETWORK
    assert run.checkpoint.exists()


def test_a_run_of_an_earlier_version_goes_on_with_its_copy(
    config: LoopConfig, run: RunFolder, network_file: Path
) -> None:
    """It has another name there, which run.json states."""
    former = run.models / "network.py"
    former.write_text(OWN_NETWORK)
    resumed = replace(config, resume=True)
    copy = prepare_folder(replace(resumed, network_file=former), run).network_file
    assert copy == run.models / "checkpoint-network.py"
    assert copy.read_text() == OWN_NETWORK
    copy.unlink()
    network_file.write_text(OWN_NETWORK + "# edited")
    with pytest.raises(ConfigError, match=r"mine\.py isn't the file that the run began with"):
        prepare_folder(replace(resumed, network_file=network_file), run)


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forgets the games that were named, as a new process has."""

    def forget() -> None:
        monkeypatch.setattr(registry, "_named", {})
        monkeypatch.setattr(registry, "_games", {})

    return forget


@pytest.mark.parametrize(
    ("name", "settings", "error"),
    [
        ("{original}:size=4", {}, ReplayError),
        ("{copy}:size=4", {}, ReplayError),
        ("{original}:size=4", {"replay_window": None, "start_from": Path("gone.onnx")}, ModelError),
        ("{original}:size=4", {"replay_window": None, "network_file": Path("gone.py")}, ConfigError),
    ],
)
def test_a_start_that_is_refused_leaves_the_rules_of_the_earlier_run(
    name: str, settings: dict[str, Any], error: type[TrainerError], tmp_path: Path, new_process: Callable[[], None]
) -> None:
    """Such as one of another size by mistake: its database holds games of the first. That run can still be resumed."""
    run, original = RunFolder(tmp_path / "run"), shutil.copy(OWN_GAME, tmp_path)
    new_process()
    start = defaults_for(original, run.path, False, "cpu")
    write_record(run.record, LOOP, prepare_folder(start.replaced(env_id=original, data_dir=run.path), run))
    game = load_game_config("myttt", run.replay)
    with closing(ReplayWriter(run.replay, game.metadata, rules=game.stored_rules)) as writer:
        writer.write([stored_game("myttt", [0, 3, 1, 4, 2])])
    kept = (run.rules / "kept.json").read_bytes()
    new_process()
    named = name.format(original=original, copy=run.rules / "myttt.py")
    start = defaults_for(named, run.path, False, "cpu")
    with pytest.raises(error):
        run_loop(start.replaced(env_id=named, data_dir=run.path, **settings), Event())
    assert (run.rules / "kept.json").read_bytes() == kept
    assert not list(run.path.glob("*rules-*"))
    new_process()
    resumed = defaults_for(None, run.path, True, "cpu").replaced(resume=True)
    assert prepare_folder(resumed, run).env_id == "myttt"
    assert find_game("myttt").path == run.rules / "myttt.py"


def test_a_start_that_is_interrupted_changes_nothing(
    config: LoopConfig, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has forgotten --resume presses Ctrl-C. Here it came before the start looks at the folder."""

    def leave(line: bytes) -> None:
        raise KeyboardInterrupt

    asked, before = Event(), sorted(run.path.rglob("*"))
    asked.set()
    monkeypatch.setattr("trainer.core.signals._asked", asked)
    monkeypatch.setattr("trainer.core.signals._end_with", leave)
    with pytest.raises(KeyboardInterrupt):
        prepare_folder(replace(config, resume=False), run)
    assert sorted(run.path.rglob("*")) == before


def test_edited_rules_are_refused_first(tmp_path: Path, network_file: Path, new_process: Callable[[], None]) -> None:
    """Before a network is tried, which needs the rules: the advice is that for a loop."""
    run, original = RunFolder(tmp_path / "run"), Path(shutil.copy(OWN_GAME, tmp_path))
    new_process()
    start = defaults_for(str(original), run.path, False, "cpu")
    prepare_folder(start.replaced(env_id=str(original), data_dir=run.path), run)
    game = load_game_config("myttt", run.replay)
    with closing(ReplayWriter(run.replay, game.metadata, rules=game.stored_rules)) as writer:
        writer.write([stored_game("myttt", [0, 3, 1, 4, 2])])
    original.write_text(original.read_text().replace("max_plies=", "max_plies=1 + "))
    new_process()
    start = defaults_for(str(original), run.path, False, "cpu")
    edited = start.replaced(env_id=str(original), data_dir=run.path, network_file=network_file)
    with pytest.raises(GameError, match="go on by the old rules with --resume and without --env-id"):
        prepare_folder(edited, run)
