"""Engines of other programs as players: what they are told, what they may answer, and that they are always ended."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from predictable import FirstLegal
from small_models import write_model
from waiting import PATIENCE, wait_until

from trainer.core.command import run_command
from trainer.core.errors import ConfigError, EngineError, GameError
from trainer.core.processes import is_alive
from trainer.evaluator import EvaluatorConfig
from trainer.evaluators.loader import ModelLoader
from trainer.games.base import FIRST, SECOND
from trainer.games.positions import Positions
from trainer.ladder import LadderConfig
from trainer.measure.evaluation import evaluate
from trainer.measure.ladder import rate_models
from trainer.measure.match import play_match
from trainer.measure.openings import draw_openings
from trainer.measure.report import every_move
from trainer.players import PlayerName, RandomPlayer, named_player
from trainer.players.engines import GtpPlayer, UciPlayer
from trainer.players.engines.process import EngineProcess, split_command

FAKE = Path(__file__).parent.parent / "support" / "engines" / "fake.py"


def command(behaviour: str, *arguments: object) -> str:
    """The command of a fake engine."""
    return shlex.join([sys.executable, str(FAKE), behaviour, *map(str, arguments)])


def gtp(behaviour: str, *arguments: object, seconds: float = PATIENCE) -> GtpPlayer:
    """A fake engine that plays tic-tac-toe through GTP."""
    return GtpPlayer(command(behaviour, *arguments), "tictactoe", seconds)


def uci(behaviour: str, *arguments: object, lines: str = "") -> UciPlayer:
    """A fake engine that plays minichess through UCI."""
    return UciPlayer(command(f"uci {behaviour}", *arguments) + lines, "minichess", 5, PATIENCE)


def first_move(player: GtpPlayer | UciPlayer, env_id: str, played: list[int]) -> int:
    """The player's move after these."""
    positions = Positions(env_id, 1)
    positions.replay(0, played)
    return int(player.choose(positions, [np.random.default_rng(0)], [played])[0])


def test_a_gtp_engine_plays_as_the_same_player_here_does() -> None:
    """Cells, colours and turns are told right: the moves are those of our own player with the same strategy."""
    openings = draw_openings("tictactoe", 10, seed=0)
    theirs = play_match("tictactoe", RandomPlayer(), gtp("good"), 10, 3, openings)
    ours = play_match("tictactoe", RandomPlayer(), FirstLegal(), 10, 3, openings)
    assert theirs.moves == ours.moves
    assert theirs.winners.tolist() == ours.winners.tolist()
    assert theirs.opponent.startswith("Fake 1 (")


def test_what_a_gtp_engine_is_told(tmp_path: Path) -> None:
    """The lines after semicolons and the size of the board once; before each move the game so far."""
    log = tmp_path / "log"
    player = GtpPlayer(f"{command('good', log)}; set_seed 1; level 2", "tictactoe", PATIENCE)
    assert first_move(player, "tictactoe", [4, 0]) == 1
    assert first_move(player, "tictactoe", []) == 0
    assert log.read_text().splitlines()[1:] == [
        *("name", "version", "set_seed 1", "level 2", "boardsize 3"),
        *("clear_board", "play black B2", "play white A3", "genmove black"),
        *("clear_board", "genmove black"),
    ]


def test_what_a_uci_engine_is_told(tmp_path: Path) -> None:
    """The variant, the options and the game so far. It searches as many nodes as it is given."""
    log = tmp_path / "log"
    player = uci("e2e3", log, lines="; setoption name Skill Level value 3")
    assert player.name.startswith("Fake (")
    assert player.name.endswith("; setoption name Skill Level value 3; go nodes 5)")
    positions = Positions("minichess", 1)
    action = first_move(player, "minichess", [])
    positions.replay(0, [action])
    assert first_move(uci("a4a3"), "minichess", [action]) in np.flatnonzero(positions.legal()[0])
    assert log.read_text().splitlines()[1:] == [
        *("uci", "setoption name UCI_Variant value gardner", "setoption name Skill Level value 3"),
        *("ucinewgame", "isready", "position startpos", "go nodes 5"),
    ]


def test_a_uci_engine_can_be_told_how_to_search(tmp_path: Path) -> None:
    """By a line of its own, in place of the nodes; it hears of earlier moves by their names."""
    log = tmp_path / "log"
    player = uci("b4a3", log, lines="; go depth 4")
    first_move(player, "minichess", [first_move(uci("a2a3"), "minichess", [])])
    assert log.read_text().splitlines()[-2:] == ["position startpos moves a2a3", "go depth 4"]
    assert player.name.endswith("; go depth 4)")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (
            "dies",
            "has gone (exit status 3) instead of answering 'genmove white' (standard error ends with: out of ideas)",
        ),
        ("babbles", "answers 'genmove white' by 'A1', but in GTP an answer begins with = or ?"),
        ("cheats", "plays 'B2' after B2, which is not a legal move there"),
        ("misses", "plays 'D4' after B2, which is not a legal move there"),
        ("refuses moves", "refuses 'play black B2' (illegal move) of the game after B2"),
    ],
)
def test_an_engine_that_fails_in_a_game_is_one_error(behaviour: str, words: str) -> None:
    """It says what was asked, what came, and in which game."""
    with pytest.raises(EngineError, match="the engine") as error:
        first_move(gtp(behaviour), "tictactoe", [4])
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_last_words_are_heard_after_the_answers_have_ended() -> None:
    """An engine can close its output before it says why, so that the end of its answers is the first thing to be read."""
    engine = EngineProcess(["sh", "-c", "read line; exec 1>&-; echo out of ideas >&2; exit 3"], PATIENCE)
    engine.send("name")
    with pytest.raises(EngineError, match=r"exit status 3\).*\(standard error ends with: out of ideas\)"):
        engine.read_line()


def test_a_silent_engine_is_given_up() -> None:
    """After the seconds that one answer may take."""
    with pytest.raises(EngineError, match=r"has not answered 'name' after 0.2 s;.*--engine-seconds"):
        gtp("mute", seconds=0.2)


@pytest.mark.parametrize(
    ("name", "env_id", "words"),
    [
        ("gtp: no-such-program --level 1", "tictactoe", "can't be started (No such file or directory)"),
        ("gtp:", "tictactoe", "the engine has no command"),
        ("gtp: 'gnugo", "tictactoe", "can't be read (No closing quotation)"),
        (f"gtp: {command('refuses')}", "tictactoe", "refuses 'boardsize 3' (unacceptable size)"),
        (f"gtp: {command('good')}", "hex:size=5", "refuses 'boardsize 5' (unacceptable size)"),
        ("gtp: cat", "tictactoe", "answers 'name' by 'name'"),
        ("gtp: true", "tictactoe", "has gone (exit status 0)"),
        ("uci: cat /dev/zero", "minichess", "answers 'uci' by more than 1,000,000 bytes without an end of line"),
        (f"uci: {command('uci chess')}", "minichess", "doesn't offer the variant 'gardner'"),
        (
            f"uci: {command('uci a2a3')}; go depth 4; go nodes 5",
            "minichess",
            "one line 'go ...', 'go depth 4' and",
        ),
        (f"uci: {command('uci a2a3')}; isready", "minichess", "the line 'isready' of the engine's command is neither"),
        (
            f"uci: {command('uci a2a3')}; setoption Style value Solid",
            "minichess",
            "'setoption Style value Solid' of the",
        ),
        ("uci: fairy-stockfish", "tictactoe", "tictactoe can't be played through UCI"),
        ("uci: fairy-stockfish", "breakthrough:rows=6", "breakthrough:rows=6 can't be played through UCI"),
    ],
)
def test_an_engine_that_does_not_fit_is_one_error(name: str, env_id: str, words: str) -> None:
    """Before the match begins."""
    with pytest.raises((ConfigError, EngineError, GameError)) as error:
        named_player(PlayerName.read(name), ModelLoader(env_id), 5, 1, engine_seconds=PATIENCE)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (
            "Skil Level value 5",
            "has no option 'Skil Level'; it has UCI_Variant, Skill Level, Ponder, Style, ",
        ),
        ("Skill Level value 21", "says 'option name Skill Level type spin default 20 min -20 max 20'"),
        ("Skill Level value -21", "doesn't take 'setoption name Skill Level value -21'"),
        ("Skill Level value high", "doesn't take 'setoption name Skill Level value high'"),
        ("Skill Level", "doesn't take 'setoption name Skill Level'"),
        ("Ponder value yes", "doesn't take 'setoption name Ponder value yes'"),
        ("Style value risky", "doesn't take 'setoption name Style value risky'"),
    ],
)
def test_an_option_that_a_uci_engine_would_ignore_is_an_error(setting: str, words: str) -> None:
    """Otherwise the result would name it as set, although the engine plays as if it were not."""
    with pytest.raises(EngineError) as error:
        uci("a2a3", lines=f"; setoption name {setting}")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "setting",
    [
        *("skill level value 20", "Skill Level value -20", "Ponder value true", "Style value very risky"),
        *("Book File value my book.bin", "Clear Hash", "UCI_Variant value mine"),
    ],
)
def test_an_option_that_a_uci_engine_has_is_sent(setting: str, tmp_path: Path) -> None:
    """Names and choices in either case. Other options may have made more variants known, so those aren't checked."""
    log = tmp_path / "log"
    first_move(uci("a2a3", log, lines=f"; setoption name {setting}"), "minichess", [])
    assert f"setoption name {setting}" in log.read_text().splitlines()


def test_an_illegal_move_of_a_uci_engine_is_an_error() -> None:
    """Also "no move", which an engine answers when it takes the game to be over."""
    for move in ("e2e5", "(none)", ""):
        with pytest.raises(EngineError, match="in the first position, which is not a legal move there"):
            first_move(uci(move), "minichess", [])


def test_an_engine_that_resigns_loses() -> None:
    """From either seat. Reports and JSON tell such games apart."""
    match = play_match("tictactoe", FirstLegal(), gtp("resigns"), 2, 0)
    assert match.moves == [[0], []]
    assert match.winners.tolist() == [FIRST, SECOND]
    assert (match.win_rate, match.resigned) == (1.0, {0, 1})
    assert [game["resigned"] for game in match.as_json()["games"]] == [True, True]
    assert every_move(match).splitlines()[-2:] == ["  X resigns", "  O wins"]
    assert "resigned" not in json.dumps(play_match("tictactoe", FirstLegal(), FirstLegal(), 2, 0).as_json())


def process_of(log: Path) -> int:
    """The process id of the engine that writes this log, as soon as it runs."""
    wait_until(lambda: log.exists() and log.read_text().count("\n") > 0, "the engine should start")
    return int(log.read_text().split()[0])


def has_ended(process: int) -> bool:
    """Whether a process runs no more. It may be a zombie, in a container whose first process waits for no others."""
    if not is_alive(process):
        return True
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:  # it has ended just now, or there is no /proc
        return not is_alive(process)


@pytest.mark.parametrize("wrap", ["", "sh -c '{}; true'"], ids=["itself", "by a shell"])
@pytest.mark.parametrize("behaviour", ["good", "stubborn"])
def test_an_engine_is_ended_with_its_player(behaviour: str, wrap: str, tmp_path: Path) -> None:
    """Even if it doesn't listen, or was started by a shell."""
    log = tmp_path / "log"
    plain = command(behaviour, log)
    player = GtpPlayer(wrap.format(plain) if wrap else plain, "tictactoe", PATIENCE)
    process = process_of(log)
    assert not has_ended(process)
    del player
    wait_until(lambda: has_ended(process), "the engine should end")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of tic-tac-toe."""
    return write_model(tmp_path / "models" / "model_step_000100.onnx", "tictactoe", seed=1, step=100)


def test_a_match_of_the_evaluator(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report and the JSON name the engine. GTP engines are given no simulations."""
    target, name = tmp_path / "match.json", f"gtp: {command('good')}"
    flags = ("--model", model, "--opponent", name, "--games", "4", "--json", target)
    assert run_command(EvaluatorConfig, evaluate, "evaluator", [*map(str, flags)]) == 0
    found = json.loads(target.read_text())
    assert "vs Fake 1 (" in capsys.readouterr().out
    assert (found["opponent_model"], found["opponent_simulations"], found["games_played"]) == (None, None, 4)
    assert found["openings"]  # or else all games would be the same


def test_an_engine_on_the_ladder(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has a row like any other player."""
    target, name = tmp_path / "ladder.json", f"gtp: {command('good')}"
    flags = ("--model-dir", model.parent, "--games", "4", "--json", target, "--against", name)
    assert run_command(LadderConfig, rate_models, "ladder", [*map(str, flags)]) == 0
    rung = json.loads(target.read_text())["ladder"][1]
    assert rung["name"].startswith("Fake 1 (")
    assert (rung["model"], rung["step"]) == (None, None)


def test_an_error_of_an_engine_ends_the_command_and_the_engine(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, status 1."""
    log = tmp_path / "log"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "trainer.evaluator", "--model", str(model), "--games", "2"),
            *("--opponent", f"gtp: {command('misses', log)}"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the engine ")
    assert done.stderr.count("\n") == 1
    assert has_ended(process_of(log))


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_engine_too(asked: int, model: Path, tmp_path: Path) -> None:
    """Also one that is thinking and hears nothing."""
    log = tmp_path / "log"
    words = ("--model", str(model), "--games", "2", "--opponent", f"gtp: {command('stubborn', log)}")
    running = subprocess.Popen(
        [sys.executable, "-m", "trainer.evaluator", *words], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_until(lambda: log.exists() and "genmove" in log.read_text(), "the engine should be asked", running)
        running.send_signal(asked)
        _, errors = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
        running.wait()
    assert (running.returncode, errors) == (130, "interrupted\n")
    process = process_of(log)
    wait_until(lambda: has_ended(process), "the engine should end")


def test_simulations_by_default() -> None:
    """Those of a name's kind, which for an engine is its protocol; models have their own."""
    expected = {"search": 100, "rollouts": 1000, "uci: x": 10_000, "a/b.onnx": 7}
    assert {name: PlayerName.read(name).simulations(None, 7) for name in expected} == expected
    assert PlayerName.read("uci: x").simulations(50, 7) == 50


def test_positions_without_a_history_are_refused() -> None:
    """An engine can't be asked about scored positions."""
    with pytest.raises(ValueError, match="all moves are known"):
        gtp("good").choose(Positions("tictactoe", 1), [np.random.default_rng(0)])


def test_an_empty_word_of_a_command_is_an_argument() -> None:
    """Only semicolons end the command."""
    assert split_command('prog --book "" --mode gtp; level 3') == (["prog", "--book", "", "--mode", "gtp"], ["level 3"])


def test_an_engine_with_a_line_go_of_its_own_has_no_simulations() -> None:
    """Its command says how long it thinks."""
    assert PlayerName.read("uci: stockfish").searches
    assert not PlayerName.read("uci: stockfish; go movetime 100").searches
    assert not PlayerName.read("gtp: gnugo").searches


def test_an_answer_that_has_come_counts_after_the_deadline(tmp_path: Path) -> None:
    """This process may have been suspended meanwhile. What comes later doesn't count. No number of seconds is too large."""
    now, written = [0.0], tmp_path / "written"
    code = "input(); print('a'); input(); print('b'); open(sys.argv[1], 'w'); input()"
    words = [sys.executable, "-u", "-c", f"import sys; {code}", str(written)]
    process = EngineProcess(words, 1e9, clock=lambda: now[0])
    process.send("hello")
    assert process.read_line() == "a"
    process.send("again")
    wait_until(written.exists, "it doesn't answer")
    now[0] = 2e9
    assert process.read_line() == "b"
    with pytest.raises(EngineError, match=r"has not answered 'again' after 1e\+09 s"):
        process.read_line()
    process.stop()


def test_an_engine_that_never_ends_its_answer_is_given_up() -> None:
    """However fast it writes: after the deadline only what has come by then is read."""
    process = EngineProcess([sys.executable, "-c", "while True: print('info depth 1')"], 0.5)
    process.send("go")
    with pytest.raises(EngineError, match=r"has not answered 'go' after 0\.5 s"):
        list(iter(process.read_line, None))
    process.stop()
