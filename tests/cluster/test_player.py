"""What players get from their hub and tell it: models, rules, statistics; and who is refused."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from dataclasses import asdict, replace
from errno import ENOSPC
from pathlib import Path

import pytest
from random_models import publish_model
from stored_rows import select
from torture.faults import running
from unreliable import Reliable, hub_in, random_games
from waiting import dead_process, wait_until

from trainer.cluster.parcel import parcel_of
from trainer.cluster.player import play_for
from trainer.cluster.remote_model import ASK_SECONDS, RemoteModel
from trainer.cluster.remote_sink import REPORT_SECONDS, WINDOW_SECONDS, RemoteSink
from trainer.cluster.roster import Roster
from trainer.cluster.shelf import ShelvedModel
from trainer.cluster.versions import RefusedError, our_versions, source_of
from trainer.core.errors import ReplayUnavailableError
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.loader import ModelLoader
from trainer.games import find_game, game_of
from trainer.launch.summary import player_in_words
from trainer.run.actor_stats import RATES, ActorStats
from trainer.run.actor_stats_file import CLUSTER_SILENCE, SILENCE
from trainer.run.cluster_players import players_in
from trainer.settings.actor import ActorConfig

OWN = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Recording(Reliable):
    """Remembers the calls; fails while `fault` is set."""

    fault: Exception | None = None

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.model: ShelvedModel | None = None
        self.during = lambda: None

    def answer(self, *call: object) -> None:
        self.calls.append(call)
        self.during()
        if self.fault:
            raise self.fault

    def store(self, sender: str, number: int, content: bytes, statistics: object) -> None:
        self.answer("store", number, statistics)

    def report(self, sender: str, statistics: object) -> None:
        self.answer("report", statistics)

    def newest_model(self, known: str | None) -> ShelvedModel | None:
        self.answer("newest_model", known)
        return None if self.model is None or self.model.identity == known else self.model


def test_statistics_travel_with_shipments_and_alone_when_there_are_none() -> None:
    """At most one report per second, and a last one at the end."""
    transport, clock = Recording(), Clock()
    sink = RemoteSink(transport, "player", game_of("tictactoe"), 0, clock)
    games = random_games("tictactoe", 64)
    sink.store(games[:1])
    sink.store_statistics(ActorStats("tictactoe", episodes_completed=1, positions_per_second=5.0))
    assert [call[0] for call in transport.calls] == ["store"]
    sink.store(games[1:2])
    assert transport.calls[-1][:2] == ("store", 2)
    assert transport.calls[-1][2]["episodes_completed"] == 1
    clock.now += REPORT_SECONDS
    sink.store_statistics(ActorStats("tictactoe", episodes_completed=2, positions_per_second=5.0))
    sink.store_statistics(ActorStats("tictactoe", episodes_completed=2, positions_per_second=5.0))
    assert [call[0] for call in transport.calls] == ["store", "store", "report"]
    sink.close()
    assert len(transport.calls) == 4
    assert transport.calls[-1][1]["episodes_completed"] == 2


def test_back_pressure_is_the_share_of_time_that_calls_take() -> None:
    """Two calls of a second and a half each in ten seconds; none after another ten."""
    transport, clock = Recording(), Clock()
    sink = RemoteSink(transport, "player", game_of("tictactoe"), 0, clock)
    assert sink.back_pressure == 0
    transport.during = lambda: setattr(clock, "now", clock.now + 1.5)
    for _ in range(2):
        sink.store(random_games("tictactoe", 64)[:1])
    assert sink.back_pressure == pytest.approx(0.3)
    clock.now += WINDOW_SECONDS
    assert sink.back_pressure == 0
    transport.during = lambda: setattr(clock, "now", clock.now + 20)
    sink.store(random_games("tictactoe", 64)[:1])
    assert sink.back_pressure == 1
    clock.now += 4
    assert sink.back_pressure == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (ConnectionResetError("gone"), r"the hub can't be reached \(gone\)"),
        (TimeoutError(), r"the hub can't be reached \(TimeoutError\)"),
        (ReplayUnavailableError("disk full"), "disk full"),
    ],
)
def test_a_hub_that_does_not_answer_is_a_sink_that_is_unavailable(fault: Exception, message: str) -> None:
    """The next attempt has the same number. Statistics and questions for models just fail until it answers again."""
    transport, clock = Recording(), Clock()
    sink = RemoteSink(transport, "player", game_of("tictactoe"), 0, clock)
    games = random_games("tictactoe", 64)[:2]
    transport.fault = fault
    for _ in range(2):
        with pytest.raises(ReplayUnavailableError, match=f"^{message}$"):
            sink.store(games)
    clock.now += REPORT_SECONDS
    sink.store_statistics(ActorStats("tictactoe"))
    transport.fault = None
    sink.store(games)
    sink.store(games)
    assert [call[:2] for call in transport.calls if call[0] == "store"] == [("store", 1)] * 3 + [("store", 2)]


@pytest.mark.parametrize("fault", [TimeoutError(), ReplayUnavailableError("disk full")])
def test_a_player_whose_games_are_not_stored_makes_none(fault: Exception) -> None:
    """The hub hears so with each further attempt; the counts stay. Then the actor's own rates are told again."""
    transport, clock = Recording(), Clock()
    sink = RemoteSink(transport, "player", game_of("tictactoe"), 0, clock)
    games = random_games("tictactoe", 64)[:2]
    sink.store_statistics(ActorStats("tictactoe", episodes_completed=3, **dict.fromkeys(RATES, 5.0)))
    transport.fault = fault
    for _ in range(2):
        with pytest.raises(ReplayUnavailableError):
            sink.store(games[:1])
    transport.fault = None
    sink.store(games[:1])
    sink.store_statistics(ActorStats("tictactoe", episodes_completed=4, **dict.fromkeys(RATES, 6.0)))
    sink.store(games[1:])
    told = [call[2] for call in transport.calls if call[0] == "store"]
    for rate in RATES:
        assert [one[rate] for one in told] == [5.0, 0.0, 0.0, 6.0]
    assert [one["back_pressure"] for one in told] == [0.0, 1.0, 1.0, 0.0]
    assert [one["episodes_completed"] for one in told] == [3, 3, 3, 4]


@pytest.mark.parametrize("fault", [ConnectionError(), TimeoutError(), ReplayUnavailableError("disk full")])
def test_a_newer_model_is_fetched_once(tmp_path: Path, fault: Exception) -> None:
    """The hub is asked twice per second and gets the identity that is known. A damaged model isn't written.

    It may also be out of reach, or be unable to open its database: the next question tries again.
    """
    publish_model(tmp_path / "run", step=1)
    hub, clock, transport = hub_in(tmp_path / "run"), Clock(), Recording()
    file = ModelFile(tmp_path / "here" / "latest.onnx", ModelLoader("tictactoe"), every=0.0)
    models = RemoteModel(transport, file, clock)
    assert not models.poll()
    clock.now += ASK_SECONDS
    first = hub.newest_model(None)
    assert first is not None
    assert hub.newest_model(first.identity) is None
    transport.model = replace(first, content=first.content[:-1])
    assert not models.poll()
    transport.model = first
    transport.fault = fault
    clock.now += ASK_SECONDS
    assert not models.poll()
    transport.fault = None
    clock.now += ASK_SECONDS
    assert models.poll()
    assert models.current is not None
    assert models.current.step == 1
    assert not models.poll()
    publish_model(tmp_path / "run", step=2)
    transport.model = hub.newest_model(first.identity)
    clock.now += ASK_SECONDS
    assert models.poll()
    assert models.current.step == 2
    assert [known for name, known in transport.calls] == [None] * 4 + [first.identity]
    hub.close()


def test_a_full_disk_of_a_player_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Twice per second the hub is asked again, until the model can be written."""
    publish_model(tmp_path / "run", step=1)
    hub, clock, transport = hub_in(tmp_path / "run"), Clock(), Recording()
    transport.model = hub.newest_model(None)
    models = RemoteModel(
        transport, ModelFile(tmp_path / "here" / "latest.onnx", ModelLoader("tictactoe"), every=0.0), clock
    )

    def full(*_: object, **__: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("trainer.cluster.remote_model.write_bytes", full)
        for _ in range(3):
            clock.now += ASK_SECONDS
            assert not models.poll()
    assert caplog.messages == ["can't write the newest model (No space left on device); trying again"]
    clock.now += ASK_SECONDS
    assert models.poll()
    hub.close()


def test_who_is_silent_plays_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its rates leave the sum, its counts stay; the log says who came and who went. Process ids mean nothing."""
    caplog.set_level(logging.INFO)
    clock, path, dead = Clock(), tmp_path / "actor_stats.json", dead_process()
    roster = Roster(path, "tictactoe", clock)
    clock.now = time.time()
    for name, rate in (("player-1-aa", 2.0), ("player-2-bb", 3.0)):
        stats = ActorStats("tictactoe", 10, positions_per_second=rate, process=dead, host=f"host of {name}")
        roster.heard(name, asdict(stats) | {"back_pressure": 0.25})
    roster.publish()
    content = json.loads(path.read_text())
    assert (content["positions_per_second"], content["episodes_completed"]) == (5, 20)
    player = content["actors"]["player-1-aa"]
    assert (player["host"], player["back_pressure"]) == ("host of player-1-aa", 0.25)
    clock.now += CLUSTER_SILENCE + 1
    roster.heard("player-2-bb")
    roster.publish()
    content = json.loads(path.read_text())
    assert (content["positions_per_second"], content["episodes_completed"]) == (3, 20)
    assert caplog.messages == [
        "player-1-aa on host of player-1-aa plays",
        "player-2-bb on host of player-2-bb plays",
        "player-1-aa is silent; 1 players are left",
    ]
    clock.now += SILENCE
    roster.heard("player-2-bb")
    roster.publish()
    assert json.loads(path.read_text())["episodes_completed"] == 20


def test_other_versions_are_refused_in_one_line_that_names_both(tmp_path: Path) -> None:
    """Of the trainer, of its source, of Python; the same versions are welcome."""
    hub, ours = hub_in(tmp_path), our_versions()
    hub.join("player-1", ours | {"host": "elsewhere"})
    for other in ({"trainer": "0.0.9"}, {"source": "0123456789ab"}, {"Python": "3.9"}):
        theirs = ours | {"host": "elsewhere"} | other
        with pytest.raises(RefusedError) as refusal:
            hub.join("player-1", theirs)
        assert str(refusal.value) == (
            f"the player on elsewhere has trainer {theirs['trainer']} (source {theirs['source']}) and Python "
            f"{theirs['Python']}, the hub on {ours['host']} has trainer {ours['trainer']} (source {ours['source']}) and "
            f"Python {ours['Python']}; install the same versions on both; if the files were edited during the "
            "run, end it, and go on with --resume"
        )
    with pytest.raises(RefusedError):
        hub.join("player-1", {})
    hub.close()


def test_the_source_of_a_checkout_is_its_python_and_sql(tmp_path: Path) -> None:
    """By content and name, wherever it lies; compiled files and others don't matter."""
    for name in ("one", "same", "edited", "renamed"):
        (tmp_path / name / "part").mkdir(parents=True)
        (tmp_path / name / "part" / "a.py").write_text("x = 1\n")
        (tmp_path / name / "b.sql").write_text("SELECT 1;\n")
    (tmp_path / "same" / "part" / "a.pyc").write_text("compiled")
    (tmp_path / "edited" / "b.sql").write_text("SELECT 2;\n")
    (tmp_path / "renamed" / "part" / "a.py").rename(tmp_path / "renamed" / "a.py")
    one, same, *others = (source_of(tmp_path / name) for name in ("one", "same", "edited", "renamed"))
    assert one == same
    assert len({one, *others}) == 3


@pytest.mark.parametrize("name", ["hex:size=5", "tictactoe"])
def test_a_game_of_this_package_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    """No file is sent. Other rules there are refused with both hashes."""
    parcel = parcel_of(find_game(name))
    assert parcel.files == {}
    assert parcel.open(tmp_path).name == name
    with pytest.raises(
        RefusedError, match=f"the rules of {name} have the hash .* on the player's machine and feed on the hub's"
    ):
        replace(parcel, stamp="feed").open(tmp_path)


def test_the_files_of_another_game_are_sent(tmp_path: Path) -> None:
    """One file, or a folder with its parts and tables; with parameters. Damaged ones are refused."""
    source = tmp_path / "theirs"
    source.mkdir()
    shutil.copy(OWN, source / "rules.py")
    for name in ("recipe.py", "positions.csv", "notes.txt"):
        (source / name).write_text("")
    parcel = parcel_of(find_game(f"{source}:size=4"))
    assert set(parcel.files) == {"rules.py", "recipe.py", "positions.csv"}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert parcel.open(tmp_path / "one").game.env_id == "myttt:size=4"
    assert (tmp_path / "one" / "rules.py").read_bytes() == OWN.read_bytes()
    damaged = parcel.files | {"rules.py": parcel.files["rules.py"] + b"\n"}
    with pytest.raises(RefusedError, match="arrived damaged"):
        replace(parcel, files=damaged).open(tmp_path / "two")
    assert list((tmp_path / "two").iterdir()) == []


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_player_plays_the_models_of_its_hub_and_stores_there(tmp_path: Path, device: str) -> None:
    """It waits for the first model, takes the second one, and stops with every game stored that it counted.

    Without a GPU it plays on the CPU, even if the run has one elsewhere.
    """
    hub = hub_in(tmp_path, games=8, simulations=4, seed=3, device=device)

    def playing(step: int) -> bool:
        hub.roster.publish()
        content = json.loads((tmp_path / "actor_stats.json").read_text())
        return any(actor["model_step"] == step for actor in content["actors"].values())

    with running(lambda stop: play_for(Reliable(hub), "player-1", 1, stop)) as ended:
        for step in (1, 2):
            publish_model(tmp_path, step=step)
            wait_until(lambda step=step: playing(step), f"it doesn't play with model {step}", ended)
    hub.close()
    (stats,) = ended
    counts = select(tmp_path / "replay.db", "SELECT count(*), count(DISTINCT episode_id), sum(done) FROM transitions")
    assert counts == [(stats.total_steps, stats.episodes_completed, stats.episodes_completed)]
    content = json.loads((tmp_path / "actor_stats.json").read_text())
    assert content["episodes_completed"] == stats.episodes_completed > 0


def test_a_player_gets_the_file_of_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU of its machine needs it to make the network of a model; paths of the hub's machine mean nothing there."""
    file, seen = tmp_path / "mynet.py", []
    file.write_text("def network(layout, width, blocks): ...")

    def noted(env_id: str, settings: ActorConfig) -> None:
        assert settings.network_file is not None
        seen.append((settings.network_file != file, settings.network_file.read_text()))
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.cluster.player.self_play_loader", noted)
    hub = hub_in(tmp_path, network_file=file)
    with pytest.raises(KeyboardInterrupt):
        play_for(Reliable(hub), "player-1", 1, threading.Event())
    hub.close()
    assert seen == [(True, file.read_text())]


def settings_at_start(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    """Device and threads of each player from now on, which ends before it plays."""
    seen = []

    def noted(env_id: str, settings: ActorConfig) -> None:
        seen.append((settings.device, settings.threads))
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.cluster.player.self_play_loader", noted)
    return seen


def test_a_player_without_a_gpu_of_its_own_plays_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a thread per core, and says so. Its machine may have a GPU that Ray keeps for others; `auto` would take it."""
    seen = settings_at_start(monkeypatch)
    monkeypatch.setattr("trainer.cluster.player.means_gpu", lambda device: device == "auto")
    hub = hub_in(tmp_path, device="cuda")
    for gpu in (False, True):
        with pytest.raises(KeyboardInterrupt):
            play_for(Reliable(hub), "player-1", 1, threading.Event(), gpu)
    hub.close()
    assert seen == [("cpu", 1), ("auto", 2)]
    warned = [message for message in caplog.messages if "no GPU" in message]
    assert warned == ["Ray has given player-1 no GPU, so it plays on the CPU; start Ray there with --num-gpus"]


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_player_whose_gpu_can_not_be_used_plays_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, device: str
) -> None:
    """With a thread per core. It warns of that if the run was started with `--device cuda`, and says what is wrong."""
    seen = settings_at_start(monkeypatch)
    monkeypatch.setattr("trainer.cluster.player.means_gpu", lambda device: False)
    monkeypatch.setattr("trainer.cluster.player.reason_for", lambda device: "its driver is too old")
    hub = hub_in(tmp_path, device=device)
    with pytest.raises(KeyboardInterrupt):
        play_for(Reliable(hub), "player-1", 1, threading.Event(), gpu=True)
    hub.close()
    assert seen == [("auto", 1)]
    warned = [message for message in caplog.messages if "GPU" in message]
    expected = (
        "the GPU of player-1 can't be used (its driver is too old), so it plays on the CPU; mend that and start Ray there "
        "again"
    )
    assert warned == ([expected] if device == "cuda" else [])


def test_players_are_described_in_words() -> None:
    """Those of a cluster that were heard of lately."""
    stats = ActorStats(
        "tictactoe", episodes_per_second=12.25, positions_per_second=1234.5, model_step=7, host="node", timestamp=100
    )
    player = asdict(stats) | {"space": "cluster", "back_pressure": 0.031}
    content = {"actors": {"player-1-a": player, "actor-1-b": asdict(stats), "player-2-c": player | {"timestamp": 90}}}
    (found,) = players_in(content, 103)
    assert found.name == "player-1-a"
    assert player_in_words(found, 103) == "node, 12.2 games/s, 1,234 positions/s, model step 7, heard 3 s ago, waits 3%"
    assert players_in({}, 103) == []
    (damaged,) = players_in({"actors": {"a": player | {"model_step": "x", "back_pressure": [], "host": 3}}}, 103)
    assert player_in_words(damaged, 103).startswith("3, 12.2 games/s, 1,234 positions/s, no model, ")
