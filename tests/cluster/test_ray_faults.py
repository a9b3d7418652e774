"""What can be wrong with a Ray cluster: one clear line each, and nothing is lost."""

from __future__ import annotations

import math
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from browser import lasting_port
from stored_rows import select
from waiting import PATIENCE

from trainer.core.errors import ConfigError, ReplayUnavailableError

pytest.importorskip("ray", reason='needs Ray: pip install -e ".[cluster]"')

from ray.exceptions import ObjectStoreFullError, RayTaskError, RpcError

from trainer.cluster.on_ray import connection, fleet, hub
from trainer.cluster.on_ray.connection import LEAST_STORE, Node
from trainer.cluster.versions import RefusedError

TESTS = Path(__file__).parent.parent
GAME = TESTS / "support" / "own_games" / "myttt.py"


def test_a_small_object_store_is_refused() -> None:
    """With what it has, what is needed and how to get it. One that is just large enough isn't."""
    connection.refuse_small_store(Node("a", "node-7", 1, LEAST_STORE))
    with pytest.raises(ConfigError) as refusal:
        connection.refuse_small_store(Node("a", "node-7", 1, LEAST_STORE // 2))
    assert str(refusal.value) == (
        "the object store of node-7 has 32 MiB and 64 are needed; start Ray there with a larger --object-store-memory"
    )


def test_a_node_with_a_small_object_store_does_not_play(caplog: pytest.LogCaptureFixture) -> None:
    """That is said once. Nothing is started there."""
    players = fleet.Fleet([None], "actor-1", None, "INFO")
    for _ in range(3):
        players.look([Node("a", "node-7", 1, LEAST_STORE // 2)])
    assert sum("the object store of node-7" in message for message in caplog.messages) == 1
    players.stop(0.0)


def test_a_node_that_can_not_play_leaves_its_place_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the four that can play do, whatever came first."""
    monkeypatch.setattr(fleet, "request_resources", lambda bundles: None)
    started = []
    monkeypatch.setattr(fleet.Fleet, "_start", lambda self, slot: started.append(slot.node.host))
    slots = fleet.Fleet([None], "actor-1", 2, "INFO")
    slots.look([Node(str(at), f"node-{at}", 1, LEAST_STORE // 2 if at in (0, 2) else LEAST_STORE) for at in range(6)])
    assert started == ["node-1", "node-3"]


def test_a_node_that_the_hub_refuses_leaves_its_place_to_another(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Here one with another version: asking again wouldn't help, so that is said once."""
    started = []

    def start(self: fleet.Fleet, slot: fleet.PlayerSlot) -> None:
        slot.player = slot.begun = slot.end = slot.node.host
        slot.since = math.inf
        started.append(slot.node.host)

    def answer(end: str) -> None:
        raise RefusedError(f"{end} has another version")

    monkeypatch.setattr(fleet, "request_resources", lambda bundles: None)
    monkeypatch.setattr(fleet, "is_ready", lambda reference: reference == "node-0")
    monkeypatch.setattr(fleet, "answer_of", answer)
    monkeypatch.setattr(fleet.ray, "kill", lambda player: None)
    monkeypatch.setattr(fleet.Fleet, "_start", start)
    slots = fleet.Fleet([None], "actor-1", 1, "INFO")
    for _ in range(5):
        slots.look([Node(str(at), f"node-{at}", 1, LEAST_STORE) for at in range(3)])
    assert started == ["node-0", "node-1"]
    assert sum("actor-1-1 on node-0 is refused (node-0 has another version)" in said for said in caplog.messages) == 1


BEGUN = "begun"
"""The reply of a player whose process is up."""


class FakePlayers:
    """Players of a fleet without Ray, and the clock that it goes by.

    A player ends by what `ends` holds for its node: an error, or None if it was asked to. Others go on.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, up: bool = True) -> None:
        """`up`: whether the processes of players come up."""
        self.seconds = 1000.0
        self.up = up
        self.ends: dict[str, Exception | None] = {}
        self.starts: list[float] = []
        self.hosts: list[str] = []
        """Where players were started, in this order."""
        monkeypatch.setattr(fleet, "time", SimpleNamespace(monotonic=lambda: self.seconds))
        monkeypatch.setattr(fleet, "is_ready", self._is_ready)
        monkeypatch.setattr(fleet, "answer_of", self._answer_of)
        monkeypatch.setattr(fleet.ray, "kill", lambda player: None)
        monkeypatch.setattr(fleet.ray, "wait", lambda ends, **_: ([end for end in ends if end in self.ends], []))
        monkeypatch.setattr(fleet.Fleet, "_start", lambda _, slot: self._start(slot))

    def _start(self, slot: fleet.PlayerSlot) -> None:
        self.starts.append(self.seconds)
        self.hosts.append(slot.node.host)
        slot.player, slot.begun, slot.end, slot.since = MagicMock(), BEGUN, slot.node.host, self.seconds

    def _is_ready(self, reply: str) -> bool:
        return self.up if reply == BEGUN else reply in self.ends

    def _answer_of(self, end: str) -> None:
        if failure := self.ends[end]:
            raise failure


def test_a_player_that_ended_starts_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Twice as long each time, unless it played for long: then the pause is the first one again."""
    fake = FakePlayers(monkeypatch)
    players = fleet.Fleet([None], "actor-1", None, "INFO")

    def look(seconds: float, ended: bool = False) -> None:
        fake.seconds += seconds
        fake.ends = {"node-7": ConnectionError("it is gone")} if ended else {}
        players.look([Node("a", "node-7", 1, LEAST_STORE)])

    look(0)
    for pause, played in ((1, 0), (2, 0), (4, 0), (1, fleet.SOON + 1)):
        caplog.clear()
        look(played, ended=True)
        assert caplog.messages == [f"actor-1-1 on node-7 ended (it is gone); it starts again in {pause} s"]
        starts = len(fake.starts)
        look(pause - 0.5)
        assert len(fake.starts) == starts
        look(0.5)
        assert len(fake.starts) == starts + 1


def test_a_player_that_does_not_start_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a minute in which its process has not come up."""
    for up in (True, False):
        fake = FakePlayers(monkeypatch, up)
        players = fleet.Fleet([None], "actor-1", None, "INFO")
        late = []
        for seconds in (0.0, fleet.START_SECONDS, 1.0, 100.0):
            fake.seconds += seconds
            caplog.clear()
            players.look([Node("a", "node-7", 1, LEAST_STORE)])
            late.append([said for said in caplog.messages if "do other programs use its CPUs" in said])
        said = ["actor-1-1 doesn't start on node-7; do other programs use its CPUs or its GPU?"]
        assert late == [[], [], [] if up else said, []]


def test_a_player_that_does_not_start_leaves_its_place_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the node that has waited longest. One that has started in the meantime keeps its place."""
    monkeypatch.setattr(fleet, "request_resources", lambda bundles: None)
    fake = FakePlayers(monkeypatch, up=False)
    players = fleet.Fleet([None], "actor-1", 1, "INFO")
    found = [Node(str(at), f"node-{at}", 1, LEAST_STORE) for at in range(3)]

    def look(seconds: float) -> None:
        fake.seconds += seconds
        players.look(found)

    look(0.0)
    for _ in range(4):
        look(fleet.START_SECONDS + 1)
        look(1.0)
    assert fake.hosts == ["node-0", "node-1", "node-2", "node-0", "node-1"]
    look(fleet.START_SECONDS + 1)
    fake.up = True
    for _ in range(3):
        look(fleet.START_SECONDS + 1)
    assert len(fake.hosts) == 5


def test_another_node_is_asked_for_while_a_player_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node more than those that have a place, until it starts after all."""
    asked: list[int] = []
    monkeypatch.setattr(fleet, "request_resources", lambda bundles: asked.append(len(bundles)))
    fake = FakePlayers(monkeypatch, up=False)
    players = fleet.Fleet([None], "actor-1", 1, "INFO")
    for seconds in (0.0, fleet.START_SECONDS + 1, 1.0):
        fake.seconds += seconds
        players.look([WORKERS[0]])
    assert asked == [1, 2]
    fake.up = True
    players.look([WORKERS[0]])
    assert asked == [1, 2, 1]


def test_players_that_do_not_end_as_asked_are_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that goes on, and one that ended by an error; not one that ended when it was asked to."""
    fake = FakePlayers(monkeypatch)
    players = fleet.Fleet([None], "actor-1", None, "INFO")
    players.look([Node(str(at), f"node-{at}", 1, LEAST_STORE) for at in range(3)])
    caplog.clear()
    fake.ends = {"node-0": None, "node-1": ConnectionError("it is gone")}
    players.stop(5.0)
    assert caplog.messages == [
        "actor-1-2 on node-1 ended before it was stopped (it is gone)",
        "actor-1-3 on node-2 didn't stop in time; its last games are lost",
    ]


@pytest.mark.parametrize(
    ("cause", "expected"),
    [(ObjectStoreFullError("no room"), ConnectionError), (ReplayUnavailableError("no disk"), ReplayUnavailableError)],
    ids=["of Ray", "of the hub"],
)
def test_what_a_hub_raises_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, cause: Exception, expected: type[Exception]
) -> None:
    """Ray's own trouble at the hub, such as a full object store, passes like a lost call, so that the player goes on."""

    def raise_it(reference: object, timeout: float) -> None:
        raise RayTaskError("offer", "", cause, "", 1, "127.0.0.1")

    monkeypatch.setattr(hub.ray, "get", raise_it)
    with pytest.raises(expected, match=r"^no (room|disk)$"):
        hub.answer_of(None)


@pytest.mark.parametrize(
    ("run_uses_gpus", "gpus", "expected"), [(True, 4, 1), (True, 0, 0), (False, 4, 0)], ids=["four", "none", "unused"]
)
def test_a_player_takes_one_gpu_of_its_node(
    monkeypatch: pytest.MonkeyPatch, run_uses_gpus: bool, gpus: int, expected: int
) -> None:
    """If the run uses GPUs and there is one: else Ray might hide it, or give it to somebody else.

    A player that got none is told so: Ray hides no GPU on a machine that was started with `--num-gpus=0`.
    """
    taken = []
    player = MagicMock()

    def remember(**options: object) -> MagicMock:
        taken.append(options["num_gpus"])
        return MagicMock(return_value=MagicMock(remote=MagicMock(return_value=player)))

    monkeypatch.setattr(fleet.ray, "remote", remember)
    slots = fleet.Fleet([None], "actor-1", None, "INFO", gpu=run_uses_gpus)
    node = Node("a" * 56, "node-7", 1, LEAST_STORE, gpus)
    slots.look([node])
    assert taken == [expected]
    player.play.remote.assert_called_once_with(None, "actor-1-1", node, expected == 1)


HEAD = Node("a" * 56, "head", 64, LEAST_STORE, is_head=True)
EMPTY_HEAD = Node("a" * 56, "head", 0, LEAST_STORE, is_head=True)
WORKERS = [Node(name * 56, f"node-{name}", 8, LEAST_STORE) for name in "bcd"]


@pytest.mark.parametrize(
    ("players", "seen", "expected"),
    [
        (3, [[HEAD], [HEAD, WORKERS[0]]], [[64, 1, 1], [64, 8, 8]]),
        (2, [[EMPTY_HEAD], [EMPTY_HEAD, WORKERS[0]], [EMPTY_HEAD, *WORKERS[:2]]], [[1, 1], [8, 8]]),
        (2, [[HEAD, *WORKERS], [HEAD, *WORKERS[1:]]], [[64, 8]]),
        (None, [[HEAD]], []),
    ],
    ids=["a large head", "a head that doesn't play", "enough nodes", "all"],
)
def test_the_autoscaler_is_told_what_is_needed_and_when_nothing_is(
    monkeypatch: pytest.MonkeyPatch, players: int | None, seen: list[list[Node]], expected: list[list[int]]
) -> None:
    """Machines of the workers' size, whatever the head has; in the end it may let all of them go, also if it can't be
    reached any more."""
    asked = []

    def request(bundles: list[dict[str, int]]) -> None:
        asked.append([bundle["CPU"] for bundle in bundles])
        if not bundles:
            raise RpcError("the head is gone")

    monkeypatch.setattr(fleet, "request_resources", request)
    monkeypatch.setattr(fleet.ray, "remote", lambda **_: MagicMock())
    monkeypatch.setattr(fleet, "is_ready", lambda reply: False)
    monkeypatch.setattr(fleet.ray, "kill", lambda player: None)
    slots = fleet.Fleet([None], "actor-1", players, "INFO")
    for nodes in seen:
        slots.look(nodes)
    slots.stop(0.0)
    assert asked == ([*expected, []] if expected else [])


def test_a_machine_that_is_refused_is_no_substitute_for_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The autoscaler would put the request there, and add no other."""
    asked: list[list[dict[str, int]]] = []
    monkeypatch.setattr(fleet, "request_resources", lambda bundles: asked.append(bundles))
    slots = fleet.Fleet([None], "actor-1", 2, "INFO", gpu=True)
    slots.look([Node("a" * 56, "node-7", 4, LEAST_STORE // 2, gpus=1)])
    node = {"CPU": 4, "GPU": 1}
    assert asked == [[node] * 3]
    slots.look([Node(name * 56, "node", 4, LEAST_STORE // 2, gpus=1) for name in "abcdef"])
    assert asked == [[node] * 3, [node] * 6]  # no further ones: whatever refuses all of them would refuse those, too


def test_a_machine_without_shared_memory_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything connects."""
    monkeypatch.setattr(connection, "SHARED_MEMORY", tmp_path / "shm")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(ConfigError, match=r"^there is no .*shm, where Ray keeps what it sends; mount a tmpfs there"):
        connection.require_cluster("127.0.0.1:1")


def test_a_store_that_shared_memory_can_not_hold_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On the machine of the hub, and on that of a player. Ray has put it on a disk then. One that just fits isn't."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(connection, "refuse_without_shared_memory", lambda: None)
    monkeypatch.setattr(connection.shutil, "disk_usage", lambda path: SimpleNamespace(total=4 * LEAST_STORE))
    monkeypatch.setattr(connection, "this_node", lambda: "a")
    monkeypatch.setattr(connection.ray, "available_resources", lambda: {"CPU": 1.0})
    monkeypatch.setattr(fleet, "refuse_without_shared_memory", lambda: None)
    monkeypatch.setattr(fleet, "log_to_stderr", lambda *_, **__: None)  # it would take the log from this test
    monkeypatch.setattr(fleet, "play_for", lambda *_: None)
    for store in (4, 8):
        here, other = (Node(name, f"node-{name}", 1, store * LEAST_STORE) for name in "ab")
        monkeypatch.setattr(connection, "nodes", lambda found=(here, other): list(found))
        connection.require_room("auto", asks_for_nodes=False)
        fleet.RayPlayer("WARNING").play(None, "actor-1-1", other, gpu=False)
    assert caplog.messages == [
        f"/dev/shm of node-{name} has 256 MiB and the object store 512, so Ray probably keeps it on a disk, which is "
        f"slower; make it larger (in a container: --shm-size), or start Ray there with a smaller --object-store-memory"
        for name in "ab"
    ]


def test_a_signal_while_ray_connects_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray answers SIGTERM by an exit status of its own, which the loop would take for a failure."""

    def init(**_: object) -> None:
        sys.exit(15)

    monkeypatch.setattr(connection, "require_answer", lambda address: None)
    monkeypatch.setattr(connection.ray, "init", init)
    with pytest.raises(KeyboardInterrupt), connection.connected("127.0.0.1:1"):
        pass


@pytest.mark.parametrize("address", ["head", ":6379", "10.0.0.5:"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """In our words."""
    with pytest.raises(ConfigError, match=rf"the Ray cluster {address} \({address} is not a host and a port\)"):
        connection.require_cluster(address)


def test_a_head_that_is_gone_ends_the_process_in_one_line() -> None:
    """Whatever its other threads wait for; not before it is gone."""
    code = """
import socket, sys, threading
from trainer.cluster.on_ray import head
head.LOOK_SECONDS, head.REFUSED_SECONDS = 0.01, 0.1
host, _, port = sys.argv[1].partition(":")
server = socket.create_server((host, int(port)), backlog=100)
head.leave_with_head(sys.argv[1], threading.Event())
for _ in range(20):
    server.accept()
server.close()
threading.Event().wait()
"""
    address = f"127.0.0.1:{lasting_port()}"
    done = subprocess.run([sys.executable, "-c", code, address], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: the head of the Ray cluster, {address}, is gone; start Ray again, then the same command with --resume\n"
    )


def test_a_cluster_without_free_cpus_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With how many it has. If an autoscaler is to add nodes, that is only said."""
    found = [Node("a", "node-7", 3, LEAST_STORE), Node("b", "node-8", 4, LEAST_STORE)]
    monkeypatch.setattr(connection, "nodes", lambda: found)
    monkeypatch.setattr(connection, "this_node", lambda: "a")
    monkeypatch.setattr(connection, "CPU_SECONDS", 0.0)
    monkeypatch.setattr(connection.ray, "available_resources", lambda: {"memory": 1.0})
    with pytest.raises(ConfigError, match=r"^the Ray cluster auto has no free CPUs \(it has 7 in all\); end what"):
        connection.require_room("auto", asks_for_nodes=False)
    assert caplog.messages == []
    connection.require_room("auto", asks_for_nodes=True)
    assert caplog.messages == ["the Ray cluster auto has no free CPUs (it has 7 in all); players wait for some"]
    monkeypatch.setattr(connection.ray, "available_resources", lambda: {"CPU": 1.0})
    connection.require_room("auto", asks_for_nodes=False)
    assert len(caplog.messages) == 1


def test_a_hub_over_ray_refuses_waits_and_sends_rules(small_disk: Path) -> None:
    """Another source is refused in one line; a full disk costs no game; the files of a game by path arrive."""
    support = TESTS / "support"
    paths = os.pathsep.join(map(str, (TESTS, support, support / "cluster")))
    settings = {"PYTHONPATH": paths, "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    # Else Ray writes a token into the home folder, and a head that is started later asks other machines for it.
    settings["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="c", dir="/tmp") as folder:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("over_ray.py")), folder, str(small_disk), str(GAME)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=os.environ | settings,
        )
    assert done.returncode == 0, done.stderr
    query = "SELECT 64 * last, (SELECT count(DISTINCT episode_id) FROM transitions) FROM shipments"
    ((sent, stored),) = select(small_disk / "replay.db", query)
    assert sent == stored > 0
