"""run.json: the settings that a run was started with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from trainer.core.errors import ConfigError
from trainer.run.record import recorded_settings, require_same_run, write_record
from trainer.settings.trainer import TrainerConfig

CONFIG = TrainerConfig(lr=0.5, minutes=2.5, width=None, lr_schedule=False, seed=7)


def config_in(folder: Path, elsewhere: Path) -> TrainerConfig:
    """A run in a folder that learns from a database elsewhere."""
    return replace(CONFIG, db=elsewhere / "replay.db", model_dir=folder / "models", stats=folder / "stats.json")


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    """Numbers, None, booleans and paths; the entries of other commands stay."""
    path, config = tmp_path / "run.json", config_in(tmp_path, tmp_path)
    path.write_text('{"other": {"settings": {}}}')
    write_record(path, "train", config)
    assert recorded_settings(path, "train", TrainerConfig) == config
    stored = json.loads(path.read_text())
    assert stored["other"] == {"settings": {}}
    assert stored["train"]["seed"] == 7
    assert {"trainer", "python", "torch", "numba"} <= stored["train"]["versions"].keys()
    assert {"commit", "processor", "started"} <= stored["train"].keys()


def test_a_resumed_run_keeps_what_it_was_made_with_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each start, oldest first. An entry of an earlier version has no list yet; a new run begins another one."""
    path, config = tmp_path / "run.json", config_in(tmp_path, tmp_path)

    def recorded(commit: str, resumed: bool) -> tuple[str, list[str]]:
        monkeypatch.setattr("trainer.run.record.commit", lambda: commit)
        write_record(path, "train", config, resumed)
        stored = json.loads(path.read_text())["train"]
        assert all(set(start) == {"versions", "commit", "processor", "started"} for start in stored["earlier"])
        return stored["commit"], [start["commit"] for start in stored["earlier"]]

    assert recorded("first", resumed=False) == ("first", [])
    stored = json.loads(path.read_text())
    del stored["train"]["earlier"]
    path.write_text(json.dumps(stored))
    assert recorded("second", resumed=True) == ("second", ["first"])
    assert recorded("third", resumed=True) == ("third", ["first", "second"])
    assert recorded("fourth", resumed=False) == ("fourth", [])


def test_a_run_that_was_moved_finds_its_own_files(tmp_path: Path) -> None:
    """Paths inside the folder move with it; the database elsewhere stays where it was."""
    old, new, elsewhere = tmp_path / "old", tmp_path / "new", tmp_path / "elsewhere"
    old.mkdir()
    write_record(old / "run.json", "train", config_in(old, elsewhere))
    old.rename(new)
    assert recorded_settings(new / "run.json", "train", TrainerConfig) == config_in(new, elsewhere)


def test_several_databases_come_back_in_their_order(tmp_path: Path) -> None:
    """Those in the folder move with it. A single one is stored as text, as it always was."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    databases = old / "replay-1.db", tmp_path / "replay.db", old / "replay-0.db"
    write_record(old / "run.json", "train", replace(CONFIG, db=databases))
    old.rename(new)
    recorded = recorded_settings(new / "run.json", "train", TrainerConfig)
    assert recorded is not None
    assert recorded.db == (new / "replay-1.db", tmp_path / "replay.db", new / "replay-0.db")
    write_record(new / "run.json", "train", replace(CONFIG, db=new / "replay.db"))
    assert json.loads((new / "run.json").read_text())["train"]["settings"]["db"] == "replay.db"


def test_no_record_means_no_settings(tmp_path: Path) -> None:
    """No file, or one of other commands only."""
    path = tmp_path / "run.json"
    assert recorded_settings(path, "train", TrainerConfig) is None
    path.write_text('{"loop": {}}')
    assert recorded_settings(path, "train", TrainerConfig) is None


def test_settings_of_an_earlier_version_have_defaults_where_they_lack_some(tmp_path: Path) -> None:
    """And those that no longer exist are ignored."""
    path = tmp_path / "run.json"
    path.write_text('{"train": {"settings": {"lr": 0.25, "int8": true}}}')
    assert recorded_settings(path, "train", TrainerConfig) == TrainerConfig(lr=0.25)


@pytest.mark.parametrize("content", ["", "[]", '{"train": 1}', '{"train": {"settings": null}}'])
def test_a_damaged_record_is_an_error(tmp_path: Path, content: str) -> None:
    """Which names the file and says what to do."""
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"run\.json can't be read as the settings of a run; move it away and repeat"):
        recorded_settings(path, "train", TrainerConfig)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("lr", '"fast"', "--lr is 'fast'; a number is needed"),
        ("batch_size", "64.5", "--batch-size is 64.5; a whole number is needed"),
        ("steps", "true", "--steps is True; a whole number or None is needed"),
        ("db", "[1, 2]", "--db is (1, 2); a path or a tuple of which each part is a path is needed"),
        ("network", '"cnn"', "--network is cnn; give one of mlp, conv, residual"),
    ],
)
def test_a_value_of_a_wrong_type_is_an_error(tmp_path: Path, name: str, value: str, words: str) -> None:
    """Which names the file, the setting and what it needs."""
    path = tmp_path / "run.json"
    path.write_text(f'{{"train": {{"settings": {{"{name}": {value}}}}}}}')
    with pytest.raises(ConfigError, match=r"run\.json can't be read as the settings of a run \(--") as caught:
        recorded_settings(path, "train", TrainerConfig)
    assert words in str(caught.value)


def test_fixed_settings_can_not_change(tmp_path: Path) -> None:
    """The learning rate is fixed; the steps are not."""
    path, config = tmp_path / "run.json", config_in(tmp_path, tmp_path)
    write_record(path, "train", config)
    require_same_run(path, "train", replace(config, steps=5000, log_interval=1))
    with pytest.raises(ConfigError, match=r"--lr is 0\.1, but the run in .* has 0\.5 \(run\.json\)"):
        require_same_run(path, "train", replace(config, lr=0.1))


@dataclass(frozen=True)
class Needing:
    """Settings of which one has no default."""

    speed: float
    seed: int = 0


def test_a_setting_without_a_default_must_be_recorded(tmp_path: Path) -> None:
    """Else the message names it."""
    path = tmp_path / "run.json"
    path.write_text('{"train": {"settings": {"speed": 0.5}}}')
    assert recorded_settings(path, "train", Needing) == Needing(0.5)
    path.write_text('{"train": {"settings": {"seed": 1}}}')
    with pytest.raises(ConfigError, match=r"run\.json lacks the setting speed; move it away and repeat the flags$"):
        recorded_settings(path, "train", Needing)
