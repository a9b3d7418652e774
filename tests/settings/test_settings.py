"""What holds for the settings of every command."""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

import numpy as np
import pytest

import trainer.settings
from trainer.core.arguments import parse
from trainer.core.errors import ConfigError
from trainer.settings.actor import ActorConfig
from trainer.settings.base import Settings
from trainer.settings.evaluator import EvaluatorConfig
from trainer.settings.loop import LoopConfig
from trainer.settings.trainer import TrainerConfig
from trainer.settings.validation import choices_of
from trainer.settings.web import WebConfig

MODULES = [
    importlib.import_module(f"trainer.settings.{found.name}")
    for found in pkgutil.iter_modules(trainer.settings.__path__)
]
COMMANDS: list[Any] = [
    found
    for module in MODULES
    for name, found in vars(module).items()
    if name.endswith("Config") and isinstance(found, type) and found.__module__ == module.__name__
]
NUMBERS = [
    pytest.param(command, field.name, id=f"{command.__name__}-{field.name}")
    for command in COMMANDS
    if issubclass(command, Settings)
    for field in fields(command)
    if float in (get_type_hints(command)[field.name], *getattr(get_type_hints(command)[field.name], "__args__", ()))
]

CHOICES = [
    pytest.param(command, field.name, id=f"{command.__name__}-{field.name}")
    for command in COMMANDS
    for field in fields(command)
    if choices_of(get_type_hints(command)[field.name])
]


def test_defaults_are_those_of_the_contract() -> None:
    """Of evaluator, actor and page; test_trainer.py has those of the trainer.

    `--env-id` of the evaluator is None: the game that the model names, or else tictactoe.
    """
    evaluator, actor, page = vars(EvaluatorConfig()), vars(ActorConfig()), vars(WebConfig())
    assert (
        evaluator.items()
        >= {
            "model": Path("../data/models/latest.onnx"),
            "db": Path("../data/replay.db"),
            "env_id": None,
            "games": 100,
            "temperature": 0.0,
            "verbose": False,
            "opponent": "random",
            "simulations": 0,
            "log_level": "INFO",
        }.items()
    )
    assert (
        actor.items()
        >= {
            "env_id": "tictactoe",
            "actor_id": "actor-1",
            "max_episodes": -1,
            "data_dir": Path("../data"),
            "simulations": 100,
            "episode_timeout_secs": 0.0,
            "log_level": "INFO",
        }.items()
    )
    assert ActorConfig().replay == Path("../data/replay.db")
    assert page.items() >= {"host": "127.0.0.1", "port": 8080, "data_dir": Path("data")}.items()


def test_an_actor_takes_every_flag_of_the_contract() -> None:
    """All at once, with values other than the defaults."""
    words = (
        "--env-id connect4 --replay-db-path games/replay.db --actor-id left --max-episodes 7 --data-dir games "
        "--simulations 30 --episode-timeout-secs 60 --log-level WARNING"
    )
    assert parse(ActorConfig, "actor", words.split()) == ActorConfig(
        env_id="connect4",
        replay_db_path=Path("games/replay.db"),
        actor_id="left",
        max_episodes=7,
        data_dir=Path("games"),
        simulations=30,
        episode_timeout_secs=60.0,
        log_level="WARNING",
    )


@pytest.mark.parametrize(("command", "name"), NUMBERS)
@pytest.mark.parametrize("value", [math.inf, math.nan], ids=str)
def test_a_number_must_be_finite(command: Any, name: str, value: float) -> None:
    """Before anything else happens: JSON, which runs are recorded in, has neither infinity nor NaN."""
    others = {"env_id": "tictactoe", "minutes": 1.0}
    known = {field.name for field in fields(command)}
    given = replace(command(**{other: others[other] for other in others.keys() & known}), **{name: value})
    with pytest.raises(ConfigError, match=f"^--{name.replace('_', '-')} is {value}; "):
        given.check()


@pytest.mark.parametrize(("command", "name"), CHOICES)
def test_a_choice_must_be_one_of_those_that_there_are(command: Any, name: str) -> None:
    """Also from Python, where nothing parses it; the message lists them."""
    default = getattr(command(), name)
    with pytest.raises(ConfigError, match=f"^--{name.replace('_', '-')} is nonsense; give one of .*{default}"):
        command(**{name: "nonsense"})


def test_the_choices_of_a_type() -> None:
    """None may be one of them."""
    assert choices_of(Literal["a", "b"] | None) == ["a", "b", None]
    assert [choices_of(hint) for hint in (int, int | None, tuple[int, ...], int | Literal["all"])] == [[], [], [], []]
    with pytest.raises(ConfigError, match=r"^--players is 'some'; a whole number or all is needed$"):
        LoopConfig(players="some")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^--players is 0; give all, or a number of machines from 1$"):
        LoopConfig(minutes=1, players=0).check()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lr": "0.1"}, "--lr is '0.1'; a number is needed"),
        ({"steps": 10.5}, "--steps is 10.5; a whole number or None is needed"),
        ({"batch_size": True}, "--batch-size is True; a whole number is needed"),
        ({"lr_schedule": 1}, "--lr-schedule is 1; True or False is needed"),
        ({"env_id": None}, "--env-id is None; text is needed"),
        ({"stats": 5}, "--stats is 5; a path is needed"),
    ],
)
def test_a_value_of_another_type_is_refused(given: dict[str, Any], message: str) -> None:
    """At once, and not by what would use it."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        TrainerConfig(**given)


def test_numbers_of_numpy_are_numbers() -> None:
    """A sweep takes them from an array."""
    config = TrainerConfig(lr=np.float32(0.5), batch_size=np.int64(64))  # type: ignore[arg-type]
    config.check()
    assert (type(config.lr), type(config.batch_size)) == (float, int)
    counts = EvaluatorConfig(solve_simulations=[np.int64(0), np.int64(100)]).solve_simulations  # type: ignore[arg-type]
    assert list(map(type, counts)) == [int, int]


def test_a_path_may_be_text() -> None:
    """Alone or among several, also in a list."""
    assert TrainerConfig(db=["a.db"]).db == (Path("a.db"),)  # type: ignore[arg-type]
    assert TrainerConfig(db="a.db").db == Path("a.db")  # type: ignore[arg-type]
    assert TrainerConfig(db=("a.db", "b.db")).db == (Path("a.db"), Path("b.db"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"solve": True, "games": 500}, "--games is for matches, and --solve plays none"),
        ({"solve": True, "verbose": True}, "--verbose is for matches"),
        ({"solve_simulations": (600,)}, "--solve-simulations is for --solve; give both"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(changed: dict[str, Any], message: str) -> None:
    """An evaluation either plays or solves."""
    with pytest.raises(ConfigError, match=message):
        EvaluatorConfig(**changed).check()


def test_an_evaluation_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    """The one for --json is made when it is written."""
    wanted = tmp_path / "a" / "b" / "found.json"
    EvaluatorConfig(json=wanted).check()
    with pytest.raises(ConfigError, match=r"^--db is given without a path"):
        EvaluatorConfig(json=wanted, db=()).check()
    assert not (tmp_path / "a").exists()


def test_a_file_that_could_not_be_written_is_refused(tmp_path: Path) -> None:
    """Because a file is where its folder should be, however deep. The evaluation would take a while."""
    (tmp_path / "file").touch()
    for wanted in (tmp_path / "file" / "found.json", tmp_path / "file" / "a" / "found.json"):
        with pytest.raises(
            ConfigError, match=r"^can't write to the folder .*/file \(Not a directory\); .* with --json$"
        ):
            EvaluatorConfig(json=wanted).check()
