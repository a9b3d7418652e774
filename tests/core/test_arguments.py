"""Arguments made from a dataclass: the flags of a child process say exactly what its parent meant."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trainer.core.arguments import arguments_of, given, narrowed, parse, value_of
from trainer.core.errors import ConfigError
from trainer.settings.actor import ActorConfig
from trainer.settings.loop import LoopConfig
from trainer.settings.trainer import TrainerConfig
from trainer.settings.web import WebConfig

CHANGED = [
    TrainerConfig(db=Path("-odd name/replay.db"), lr=1e-7, lr_schedule=False, width=64, minutes=0.5, average=0.999),
    TrainerConfig(db=(Path("-a/replay-0.db"), Path("b c.db"))),
    TrainerConfig(steps=None, minutes=3, tensorboard=Path("events"), merge_repeats=True),
    ActorConfig(actor_id="-a b=c", seed=2**62, gumbel=True, first_simulations=7, max_episodes=-1),
    LoopConfig(data_dir=Path("./-runs"), replay_window=None, spread_checkpoints=False),
    WebConfig(allow_origin=("http://localhost:5173", "https://example.org")),
    WebConfig(),
]


@pytest.mark.parametrize("config", CHANGED, ids=lambda config: type(config).__name__)
def test_arguments_of_a_config_parse_to_the_same_config(config: Any) -> None:
    """Whatever the default of the one who parses."""
    words = arguments_of(config)
    assert parse(type(config), "test", words) == config
    other = replace(config, log_level="ERROR")
    assert parse(type(config), "test", words, other) == config


def test_given_names_are_those_of_the_flags() -> None:
    """With a value of its own word or behind =, with - or _, and negated."""
    words = ["--batch-size", "3", "--lr=0.1", "--no-lr-schedule", "--weight_decay", "0", "value"]
    assert given(TrainerConfig, words) == {"batch_size", "lr", "lr_schedule", "weight_decay"}


def test_a_flag_with_several_values_may_be_repeated() -> None:
    """Or given once with all of them, with other flags between; one value is one."""
    a, b, c = Path("a.db"), Path("b.db"), Path("c.db")
    config = parse(TrainerConfig, "test", ["--db", "a.db", "--lr", "0.5", "--db=b.db", "--db", "c.db", "--steps", "3"])
    assert (config.db, config.lr, config.steps) == ((a, b, c), 0.5, 3)
    assert parse(TrainerConfig, "test", ["--db", "a.db", "b.db", "--lr", "0.5"]).db == (a, b)
    assert parse(TrainerConfig, "test", ["--db", "a.db", "--lr", "0.5"]).db == a
    assert parse(TrainerConfig, "test", []).db == TrainerConfig.db


@pytest.mark.parametrize(
    ("config", "words", "message"),
    [
        (LoopConfig, ["--data-dir", "", "--minutes", "1"], "--data-dir is empty; give a path (. is this folder)"),
        (TrainerConfig, ["--stats="], "--stats is empty; give a path (. is this folder)"),
        (TrainerConfig, ["--db", "a.db", "--db="], "--db is empty; give a path (. is this folder)"),
        (TrainerConfig, ["--db", "a.db", ""], "--db is empty; give a path (. is this folder)"),
        (WebConfig, ["--host", "0.0.0.0", "--allow-host"], "--allow-host is given without a value; give one or more"),
        (WebConfig, ["--allow-host", "--port", "80"], "--allow-host is given without a value; give one or more"),
    ],
)
def test_what_a_variable_that_is_not_set_leaves_is_refused(config: Any, words: list[str], message: str) -> None:
    """An empty path would be the current folder; a page without --allow-host answers to every name."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(config, "test", words)


def test_an_empty_text_that_is_no_path_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """It is for the settings to say whether it can be; and help comes whatever else is given."""
    assert parse(ActorConfig, "test", ["--actor-id", ""]).actor_id == ""
    with pytest.raises(SystemExit, match=r"^0$"):
        parse(WebConfig, "test", ["--allow-host", "--help"])
    assert "--allow-host" in capsys.readouterr().out


def test_the_last_value_of_a_flag_counts() -> None:
    """As it does for the parser; a flag without a value has none."""
    assert value_of(["--env-id", "othello", "--env_id=connect4"], "--env-id") == "connect4"
    assert value_of(["--data-dir"], "--data-dir") is None
    assert value_of([], "--env-id") is None


def test_a_narrowed_config_has_the_shared_settings() -> None:
    """The loop's learning rate reaches the trainer, whose own settings are given."""
    config = narrowed(LoopConfig(lr=0.5, seed=9, minutes=2), TrainerConfig, db=Path("x.db"))
    assert (config.lr, config.seed, config.minutes, config.db) == (0.5, 9, 2, Path("x.db"))
    assert config.max_checkpoints == LoopConfig.max_checkpoints
