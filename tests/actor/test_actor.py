"""The actor as a process: whole games, unique ids, a clean stop, statistics that count what is stored."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from random_models import publish_model
from stored_rows import select
from torture.faults import running
from waiting import PATIENCE, wait_until

from trainer.actor.actor import act
from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.actor.threads import Finished, PlayerThreads
from trainer.core.errors import ConfigError, GameError, TrainerError
from trainer.evaluators.interface import ModelSource
from trainer.games import rules_of
from trainer.games.position import Position
from trainer.search import SearchConfig
from trainer.settings.actor import ActorConfig


def config_for(folder: Path, **changed: object) -> ActorConfig:
    """A small actor in a folder."""
    values = {
        "replay_db_path": folder / "replay.db",
        "data_dir": folder,
        "max_episodes": 20,
        "games": 8,
        "simulations": 10,
        "seed": 1,
    }
    return ActorConfig(**(values | changed))  # type: ignore[arg-type]


def play(config: ActorConfig) -> None:
    """Play until the episodes are stored."""
    act(config, threading.Event())


def rows_of(folder: Path, columns: str) -> list[tuple]:
    """Columns of all rows, game by game."""
    return select(folder / "replay.db", f"SELECT {columns} FROM transitions ORDER BY episode_id, step_number")


@pytest.mark.parametrize("env_id", ["tictactoe", "connect4", "othello"])
@pytest.mark.parametrize("with_model", [False, True])
def test_stored_games_follow_from_the_rules(tmp_path: Path, env_id: str, with_model: bool) -> None:
    """Each game is replayed move by move by the plain rules: states, observations, rewards and outcomes agree."""
    if with_model:
        publish_model(tmp_path, env_id)
    play(config_for(tmp_path, env_id=env_id, max_episodes=3, games=4))
    rules = rules_of(env_id)
    columns = (
        "episode_id, step_number, state, action, next_state, observation, next_observation, reward, done, game_outcome"
    )
    columns += ", policy_probs, mcts_value, env_id, id"
    position = Position.first(rules)
    finals = []
    for episode, ply, state, action, after, seen, seen_after, reward, done, outcome, policy, value, env, row in rows_of(
        tmp_path, columns
    ):
        if ply == 0:
            position = Position.first(rules)
            outcomes: list[tuple[int, float]] = []
        assert (env, row) == (env_id, f"{episode}-step-{ply}")
        assert state == position.to_bytes()
        assert seen == position.observation.astype("<f4").tobytes()
        move = int.from_bytes(action, "little")
        probabilities = np.frombuffer(policy, "<f4")
        assert move in position.legal
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert set(np.flatnonzero(probabilities)) <= set(position.legal)
        if not with_model:
            assert value == outcome
            assert probabilities[position.legal] == pytest.approx(1 / len(position.legal))
        outcomes.append((position.mover, outcome))
        mover, position = position.mover, position.play(move)
        assert after == position.to_bytes()
        assert seen_after == position.observation.astype("<f4").tobytes()
        assert done == (position.winner != 0)
        expected = {0: 0, 3: 0, mover: 1}.get(position.winner, -1)
        assert reward == expected
        if done:
            finals.append(position)
            for who, result in outcomes:
                assert result == (0 if position.winner == 3 else 1 if position.winner == who else -1)
    assert len(finals) == 3


def test_games_are_stored_in_the_folder_of_the_run(tmp_path: Path) -> None:
    """Unless another file is given."""
    play(config_for(tmp_path, replay_db_path=None, max_episodes=3))
    assert len({episode for (episode,) in rows_of(tmp_path, "episode_id")}) == 3
    assert ActorConfig().replay == Path("../data/replay.db")
    assert ActorConfig(replay_db_path=tmp_path / "games.db").replay == tmp_path / "games.db"


def games_of(folder: Path, **changed: object) -> list[tuple]:
    """What an actor stores with the same model in a folder of its own, without the part of the ids that differs by run."""
    publish_model(folder)
    play(config_for(folder, **changed))
    rows = rows_of(folder, "episode_id, action, policy_probs, mcts_value")
    return [(episode.rpartition("-")[0], *rest) for episode, *rest in rows]


def test_the_same_seed_and_model_give_the_same_games(tmp_path: Path) -> None:
    """With one thread or two, and with other numbers of games side by side; another seed gives others."""
    games = games_of(tmp_path / "a")
    assert games_of(tmp_path / "b", threads=2, games=5) == games
    assert games_of(tmp_path / "c", seed=2) != games


def test_episode_ids_never_repeat_after_a_restart(tmp_path: Path) -> None:
    """The second run goes on counting where the first stopped, so no random numbers repeat either."""
    play(config_for(tmp_path, max_episodes=5))
    play(config_for(tmp_path, max_episodes=5))
    episodes = sorted({row[0] for row in rows_of(tmp_path, "episode_id")})
    assert [int(episode.split("-game-")[1].split("-")[0]) for episode in episodes] == list(range(10))


def test_the_numbers_of_others_are_not_its_own(tmp_path: Path) -> None:
    """The ids of the actor `a-game-b` begin like those of the actor `a`."""
    play(config_for(tmp_path, max_episodes=3, actor_id="a-game-b"))
    play(config_for(tmp_path, max_episodes=2, actor_id="a"))
    episodes = {row[0].rpartition("-")[0] for row in rows_of(tmp_path, "episode_id")}
    assert len(episodes) == 5
    assert {"a-game-000000000", "a-game-000000001"} <= episodes


def test_after_a_random_opening_plies_are_counted_from_the_first_move_of_the_game(tmp_path: Path) -> None:
    """step_number is the number of stones on the board, and the length of a game counts its opening."""
    publish_model(tmp_path)
    play(config_for(tmp_path, max_episodes=40, random_openings=1.0))
    last: dict[str, int] = {}
    began: dict[str, int] = {}
    for episode, ply, seen in rows_of(tmp_path, "episode_id, step_number, observation"):
        assert np.frombuffer(seen, "<f4")[:18].sum() == ply
        began.setdefault(episode, ply)
        last[episode] = ply
    assert max(began.values()) > 2
    stats = json.loads((tmp_path / "actor_stats.json").read_text())
    assert stats["avg_episode_length"] == pytest.approx(np.mean([ply + 1 for ply in last.values()]))


@pytest.mark.command
def test_several_actors_write_one_file(tmp_path: Path) -> None:
    """Two of the same name and one of another, at once: every game is whole, and actor_stats.json is their sum."""
    command = [sys.executable, "-m", "trainer.actor", "--replay-db-path", str(tmp_path / "replay.db")]
    command += ["--data-dir", str(tmp_path), "--max-episodes", "400", "--games", "50", "--actor-id"]
    commands = [[*command, name] for name in ("actor-1", "actor-1", "actor-2")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    games: dict[str, list[int]] = {}
    for episode, done in rows_of(tmp_path, "episode_id, done"):
        games.setdefault(episode, []).append(done)
    assert len(games) == 1200
    assert all(dones == [0] * (len(dones) - 1) + [1] for dones in games.values())
    stats = json.loads((tmp_path / "actor_stats.json").read_text())
    assert stats["env_id"] == "tictactoe"
    assert stats["episodes_completed"] == 1200
    assert stats["player1_wins"] + stats["player2_wins"] + stats["draws"] == 1200
    assert stats["avg_episode_length"] == pytest.approx(stats["total_steps"] / 1200)


@pytest.mark.command
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_every_finished_game_stored(tmp_path: Path, number: signal.Signals) -> None:
    """The games that were counted and reported are in the database, all of them whole, and the exit status is 0."""
    publish_model(tmp_path, "connect4")
    command = [sys.executable, "-m", "trainer.actor", "--env-id", "connect4", "--games", "64", "--simulations", "20"]
    command += ["--replay-db-path", str(tmp_path / "replay.db"), "--data-dir", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    stats = tmp_path / "actor_stats.json"
    try:
        wait_until(
            lambda: stats.exists() and json.loads(stats.read_text())["episodes_completed"] > 100,
            "it doesn't play",
            process,
        )
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    counts = rows_of(tmp_path, "count(*), count(DISTINCT episode_id), sum(done)")[0]
    final = json.loads(stats.read_text())
    assert (final["total_steps"], final["episodes_completed"]) == counts[:2]
    assert counts[1] == counts[2] > 100
    last = errors.splitlines()[-1]
    assert f"actor-1: {counts[1]} games (" in last
    assert last.endswith("simulations/s, model step 1")


def test_games_that_have_ended_are_handed_over_at_the_stop() -> None:
    """Self-play takes them out of their slots now and then only; what it still has at the stop isn't lost."""
    stepped = threading.Event()

    class Player:
        """One game has ended in it, which no step returns."""

        idle = False

        def play_randomly(self) -> list[PlayedGame]:
            """Nothing new."""
            stepped.set()
            return []

        def take_finished(self) -> list[PlayedGame]:
            """The game."""
            return [game]

    game = PlayedGame(7, np.zeros(2), np.zeros((1, 9), np.float32))
    threads = PlayerThreads([cast(SelfPlay, Player())], cast(ModelSource, SimpleNamespace(current=None)), 29)
    with threads:
        assert stepped.wait(PATIENCE)
    assert threads.collect(0) == [game]


def test_an_error_in_a_thread_ends_all_of_them_and_is_raised() -> None:
    """Else an actor whose evaluator fails would end as if all were well."""

    class Player:
        """It fails, or plays on for ever."""

        idle = False

        def __init__(self, fails: bool) -> None:
            self._fails = fails

        def play_randomly(self) -> list[PlayedGame]:
            """Nothing, at best."""
            if self._fails:
                raise ZeroDivisionError
            return []

        def take_finished(self) -> list[PlayedGame]:
            """None."""
            return []

    players = [cast(SelfPlay, Player(fails)) for fails in (False, True)]
    threads = PlayerThreads(players, cast(ModelSource, SimpleNamespace(current=None)), 29)
    with threads:
        wait_until(lambda: not threads.running, "the other thread plays on")
    with pytest.raises(ZeroDivisionError):
        threads.raise_failure()


def test_an_actor_that_waits_for_models_pauses_when_its_only_one_fails() -> None:
    """Else random games would take the place of good ones. The pause doesn't count as time of the games in progress."""
    pauses: list[float] = []

    class Player:
        """It has nothing to play by."""

        idle = False

        def play_randomly(self) -> list[PlayedGame]:
            """Not asked for."""
            raise AssertionError("it plays at random")

        def excuse(self, seconds: float) -> None:
            """Note the pause."""
            pauses.append(seconds)

        def take_finished(self) -> list[PlayedGame]:
            """None."""
            return []

    models = cast(ModelSource, SimpleNamespace(current=None))
    threads = PlayerThreads([cast(SelfPlay, Player())], models, 29, wait_for_model=True)
    with threads:
        wait_until(lambda: len(pauses) > 2 or not threads.running, "it doesn't wait")
    threads.raise_failure()
    assert min(pauses[:3]) > 0.04


def test_time_in_which_the_process_was_stopped_does_not_count_for_games(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after Ctrl-Z; else all games in progress would have taken too long."""
    excused: list[float] = []

    class Player:
        """It makes one step, in which it does nothing for a moment."""

        idle = False

        def step(self, evaluator: object) -> list[PlayedGame]:
            """Sleep."""
            threading.Event().wait(0.2)
            self.idle = True
            return []

        def excuse(self, seconds: float) -> None:
            """Note the pause."""
            excused.append(seconds)

    monkeypatch.setattr("trainer.actor.threads.STOPPED_SECONDS", 0.1)
    models = cast(ModelSource, SimpleNamespace(current=SimpleNamespace()))
    threads = PlayerThreads([cast(SelfPlay, Player())], models, 29)
    with threads:
        wait_until(lambda: not threads.running, "it plays on")
    threads.raise_failure()
    assert [seconds > 0.1 for seconds in excused] == [True]


def test_the_constants_of_the_search_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They reach the searches of self-play."""
    given = {"c_puct": 2.0, "fpu_reduction": 0.5, "noise_fraction": 0.1, "considered": 4, "value_scale": 0.2}
    seen: list[SearchConfig] = []

    def noted(*arguments: Any) -> None:
        seen.append(arguments[-1])
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.actor.selfplay.Search", noted)
    with pytest.raises(KeyboardInterrupt):
        act(config_for(tmp_path, cache=64, **given), threading.Event())
    assert seen == [SearchConfig(cache=64, **given)]


@pytest.mark.parametrize(("games", "plies"), [(3, 2), (2, 5)])
def test_players_pause_when_many_games_or_many_positions_wait(games: int, plies: int) -> None:
    """A game of Go takes far more memory than one of tic-tac-toe, so games alone aren't counted."""
    waiting = Finished(most_games=3, most_positions=10)
    played = [PlayedGame(number, np.zeros(plies), np.zeros((plies - 1, 9), np.float32)) for number in range(games)]
    for game in played:
        assert not waiting.full
        waiting.put(game)
    assert waiting.full
    assert len(waiting) == games
    assert waiting.take() == played
    assert not waiting.full
    assert len(waiting) == 0


def test_an_actor_that_waits_for_a_model_plays_nothing_if_it_is_stopped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It doesn't play at random then: a run that was stopped before its first model would learn from these games."""
    caplog.set_level("INFO")
    stop = threading.Event()
    stop.set()
    assert act(config_for(tmp_path, wait_for_model=True, max_episodes=-1), stop).episodes_completed == 0
    assert not caplog.messages


def test_an_actor_that_waits_for_a_model_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It may wait for long, if the trainer has trouble."""
    caplog.set_level("INFO")
    with running(partial(act, config_for(tmp_path, wait_for_model=True))) as ended:
        wait_until(lambda: caplog.messages, "it says nothing", ended)
        publish_model(tmp_path)
        wait_until(lambda: ended, "it doesn't begin")
    assert caplog.messages[:2] == [
        "waiting for the first model, which the trainer publishes",
        "playing with model step 1",
    ]


def test_a_new_model_is_used_without_dropping_a_game(tmp_path: Path) -> None:
    """Random play until a model comes, then that one; the numbers of the stored games have no gap."""
    config, stats = config_for(tmp_path, max_episodes=-1, simulations=5), tmp_path / "actor_stats.json"

    def in_use(step: int | None) -> bool:
        return stats.exists() and next(iter(json.loads(stats.read_text())["actors"].values()))["model_step"] == step

    with running(partial(act, config)) as ended:
        for step in (None, 1, 2):
            if step:
                publish_model(tmp_path, step=step)
            wait_until(partial(in_use, step), f"it doesn't use model {step}", ended)
    numbers = sorted({int(row[0].split("-game-")[1].split("-")[0]) for row in rows_of(tmp_path, "episode_id")})
    unfinished = set(range(numbers[-1] + 1)) - set(numbers)
    assert len(unfinished) <= 8  # those under way at the stop, one a slot at most


def test_a_game_that_takes_too_long_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With a limit of a millisecond no game with 30,000 simulations a move ever ends; the actor lives on."""
    publish_model(tmp_path, "connect4")
    long = {"simulations": 30_000, "games": 20, "cache": 0}
    config = config_for(tmp_path, env_id="connect4", episode_timeout_secs=0.001, **long)
    with running(partial(act, config)) as ended:
        wait_until(lambda: "took longer than 0.001 s and was abandoned" in caplog.text, "no game is given up", ended)
    assert rows_of(tmp_path, "id") == []


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"env_id": "chess"}, GameError, "'chess'; the known games are tictactoe, connect4, othello"),
        ({"games": 0}, ConfigError, "--games is 0"),
        ({"seed": -1}, ConfigError, "--seed is -1"),
        ({"actor_id": "a\n"}, ConfigError, r"--actor-id is 'a\\n'; give a name of printable characters"),
        ({"threads": 0}, ConfigError, "--threads is 0"),
        ({"simulations": 0}, ConfigError, "--simulations is 0"),
        ({"max_episodes": -2}, ConfigError, "--max-episodes is -2"),
    ],
)
def test_bad_settings_are_refused(
    tmp_path: Path, changed: dict[str, object], error: type[TrainerError], message: str
) -> None:
    """In one sentence."""
    with pytest.raises(error, match=message):
        play(config_for(tmp_path, **changed))


def test_an_actor_of_another_game_is_noticed_in_the_folder_of_a_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As one without --env-id: the loop couldn't be resumed any more. It plays, because a trainer may want these games."""

    def said_of(entries: object, **changed: object) -> list[str]:
        (tmp_path / "run.json").write_text(json.dumps(entries))
        caplog.clear()
        play(config_for(tmp_path, max_episodes=2, **changed))
        return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

    other = {"settings": {"env_id": "connect4"}}
    (said,) = said_of({"loop": other})
    assert said == (
        f"the loop in {tmp_path} learns connect4, and can't be resumed with games of tictactoe in {tmp_path / 'replay.db'}; "
        f"--env-id connect4, or another --data-dir, may be meant"
    )
    for entries in ({"loop": {"settings": {"env_id": "tictactoe"}}, "train": other}, {"train": other}, {"loop": []}):
        assert said_of(entries) == []
    assert said_of({"loop": other}, replay_db_path=tmp_path / "elsewhere.db") == []
    assert rows_of(tmp_path, "count(DISTINCT episode_id)") == [(8,)]


def test_a_model_for_another_game_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is reported, and the actor plays at random."""
    publish_model(tmp_path, "connect4")
    play(config_for(tmp_path))
    assert "was trained for connect4, not tictactoe; give a model of tictactoe" in caplog.text
    assert all(value == outcome for value, outcome in rows_of(tmp_path, "mcts_value, game_outcome"))


@pytest.mark.command
def test_playing_and_measuring_import_no_torch(tmp_path: Path) -> None:
    """An actor plays games of a model, an evaluator plays a match, the page is built; the loop and the ladder start."""
    publish_model(tmp_path)
    model = tmp_path / "models" / "latest.onnx"
    code = f"""
import sys
import trainer.ladder, trainer.loop, trainer.measure.progress
from pathlib import Path
from trainer.actor.__main__ import main as act
from trainer.evaluator import main as evaluate
from threading import Event
from trainer.settings.web import WebConfig
from trainer.web.app import build_app
folder = {str(tmp_path)!r}
assert act(["--data-dir", folder, "--replay-db-path", folder + "/replay.db", "--max-episodes", "4"]) == 0
assert evaluate(["--model", {str(model)!r}, "--env-id", "tictactoe", "--games", "4", "--simulations", "4"]) == 0
build_app(WebConfig(data_dir=Path(folder)), Event())
sys.exit("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_flag_that_does_not_parse_is_2(call_main: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """As is usual."""
    with pytest.raises(SystemExit) as end:
        call_main("trainer.actor.__main__", "--games", "many")
    assert end.value.code == 2
    assert "--games" in "".join(capsys.readouterr())
