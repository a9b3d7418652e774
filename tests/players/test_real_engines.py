"""Matches against the engines that people have: GNU Go, GRhino, Fairy-Stockfish; and our own engine in their place."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from small_models import write_model
from waiting import PATIENCE

import trainer
from trainer.core.errors import EngineError
from trainer.evaluators.loader import ModelLoader
from trainer.games import rules_of
from trainer.games.base import FIRST, SECOND
from trainer.games.position import Position
from trainer.measure.match import Match, play_match
from trainer.measure.openings import draw_openings
from trainer.players import NetworkPlayer, Player, PlayerName, RandomPlayer, named_player
from trainer.players.engines import GtpPlayer

RULES_OF_OURS = "--mode gtp --chinese-rules --positional-superko --capture-all-dead --seed 1"


def engine(protocol: str, program: str, arguments: str, env_id: str, nodes: int = 0) -> Player:
    """The player; skips the test if the program isn't installed."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/games")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return named_player(
        PlayerName(protocol, f"{found} {arguments}"), ModelLoader(env_id), nodes, 1, engine_seconds=PATIENCE
    )


def assert_played_by_the_rules(match: Match) -> None:
    """Every game that wasn't given up ends as it is said to."""
    for number, moves in enumerate(match.moves):
        position = Position.first(rules_of(match.game.env_id))
        for action in moves:
            assert action in position.legal
            position = position.play(action)
        assert number in match.resigned or position.winner == match.winners[number]


def test_gnu_go_beats_random_play() -> None:
    """As Black on 5x5, where Black has the whole board; it would not if it took our moves for other ones."""
    opponent = engine("gtp", "gnugo", f"{RULES_OF_OURS} --level 1", "go:size=5")
    match = play_match("go:size=5", RandomPlayer(), opponent, 4, 0)
    assert match.opponent.startswith("GNU Go 3.")
    assert match.losses(SECOND) == 2
    assert_played_by_the_rules(match)


def test_gnu_go_plays_our_engine(tmp_path: Path) -> None:
    """A match between two other programs, one of which is ours."""
    model = write_model(tmp_path / "model.onnx", "go:size=5", seed=1, step=1)
    opponent = engine("gtp", "gnugo", f"{RULES_OF_OURS} --level 1", "go:size=5")
    ours = own_engine(model, "go:size=5")
    match = play_match("go:size=5", ours, opponent, 2, 0, draw_openings("go:size=5", 2, seed=0, plies=2))
    assert match.player.startswith(f"Cartridge {trainer.__version__} (go:size=5 step 1, 0 simulations)")
    assert_played_by_the_rules(match)


def test_gtp_rhino_beats_random_play() -> None:
    """In Othello. It makes forced passes by itself; some game has one, or this test would say little."""
    opponent = engine("gtp", "gtp-rhino", "--level=1", "othello")
    match = play_match("othello", RandomPlayer(), opponent, 6, 0)
    assert match.loss_rate == 1
    assert any(64 in moves for moves in match.moves)
    assert_played_by_the_rules(match)


@pytest.mark.parametrize("env_id", ["minichess", "breakthrough"])
def test_fairy_stockfish_beats_random_play(env_id: str) -> None:
    """From both seats, with few nodes. The same match has the same moves again."""
    matches = [
        play_match(env_id, RandomPlayer(), engine("uci", "fairy-stockfish", "", env_id, nodes=200), 4, 0)
        for _ in range(2)
    ]
    assert matches[0].losses(FIRST) == matches[0].losses(SECOND) == 2
    assert matches[0].moves == matches[1].moves
    assert_played_by_the_rules(matches[0])


def test_fairy_stockfish_is_told_how_to_play() -> None:
    """It has the options of the example in docs/engines.md, and no other ones."""
    settings = "; setoption name Skill Level value 5; setoption name VariantPath value none.ini; go depth 1"
    match = play_match("minichess", RandomPlayer(), engine("uci", "fairy-stockfish", settings, "minichess"), 2, 0)
    assert match.opponent.endswith("; go depth 1)")
    assert_played_by_the_rules(match)
    with pytest.raises(EngineError, match=r"has no option 'Skil Level'; it has .*, Skill Level, "):
        engine("uci", "fairy-stockfish", "; setoption name Skil Level value 5", "minichess")


def own_engine(model: Path, env_id: str) -> GtpPlayer:
    """Our engine, with a model and without search."""
    words = [sys.executable, "-m", "trainer.gtp", "--model", str(model), "--env-id", env_id, "--simulations", "0"]
    return GtpPlayer(shlex.join(words), env_id, PATIENCE)


@pytest.mark.parametrize("env_id", ["go:size=5", "hex:size=5", "othello", "breakthrough", "dots", "connect4"])
def test_our_engine_plays_what_its_model_does(env_id: str, tmp_path: Path) -> None:
    """A match through GTP has the same moves as one without."""
    path = write_model(tmp_path / "model.onnx", env_id, seed=1, step=1)
    model = NetworkPlayer("model", ModelLoader(env_id).load(path))
    without = play_match(env_id, RandomPlayer(), model, 4, 0)
    assert play_match(env_id, RandomPlayer(), own_engine(path, env_id), 4, 0).moves == without.moves
    assert without.different_games == 4
