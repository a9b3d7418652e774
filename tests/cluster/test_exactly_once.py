"""Every acknowledged game is stored exactly once and whole, whatever happens on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from conftest import fill
from stored_rows import select
from torture.faults import delete_database
from torture.promises import whole_games
from unreliable import Reliable, Unreliable, hub_in, random_games
from waiting import wait_until

from trainer.actor.played import PlayedGame
from trainer.cluster.hub import Arrival
from trainer.cluster.remote_sink import RemoteSink
from trainer.cluster.shipment import SHIPMENT_PLIES, pack
from trainer.cluster.versions import our_versions
from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.games import game_of
from trainer.replay import Episode, ReplayWriter

GAME = game_of("tictactoe")
ROUNDS = 2_500


class Sender:
    """A player that numbers its games and knows which ones were acknowledged."""

    def __init__(self, transport: Reliable, name: str) -> None:
        self.sink = RemoteSink(transport, name, GAME, 0)
        self._numbers = count()
        self._next: list[PlayedGame] = []
        self.acknowledged: dict[str, int] = {}  # the plies of each game, by its id

    def send(self, games: Sequence[PlayedGame]) -> None:
        """Send the games that couldn't be sent before, or these."""
        self._next = self._next or [replace(game, number=next(self._numbers)) for game in games]
        self.sink.store(self._next)
        name, _, start = self.sink.sender.rpartition("-")
        self.acknowledged |= {f"{name}-game-{game.number:09d}-{start}": len(game.actions) for game in self._next}
        self._next = []


def stored(folder: Path) -> dict[str, int]:
    """The rows of each stored game. Fails if a game isn't whole, from its first ply on."""
    database = folder / "replay.db"
    found = whole_games(database)
    assert select(database, "SELECT count(*) FROM transitions WHERE step_number = 0") == [(len(found),)]
    return found


def test_every_acknowledged_game_is_stored_once(tmp_path: Path) -> None:
    """Three players and their hub over a network that fails in every way, 2,500 times; the hub is restarted 20 times."""
    generator = np.random.default_rng(21)
    games = random_games("tictactoe", 64)
    network = Unreliable(hub_in(tmp_path), generator)
    senders = [Sender(network, f"player-{at}") for at in range(3)]
    for at in range(ROUNDS):
        if at % (ROUNDS // 20) == 0:
            network.hub.close()
            network.hub = hub_in(tmp_path)
        first, number = generator.integers(60), generator.integers(1, 4)
        with suppress(ReplayUnavailableError):
            senders[generator.integers(3)].send(games[first : first + number])
    network.deliver_the_rest()
    network.sound = 1.0
    for sender in senders:
        sender.send(games[:1])
    network.hub.close()
    expected = {game: plies for sender in senders for game, plies in sender.acknowledged.items()}
    assert len(expected) > ROUNDS // 2
    assert stored(tmp_path) == expected
    assert min(network.faults.values()) > ROUNDS // 10


def test_many_players_at_once_share_transactions(tmp_path: Path) -> None:
    """Eight threads, each a player, over networks that fail: what was acknowledged is stored once."""
    games = random_games("tictactoe", 64)
    hub = hub_in(tmp_path)
    senders = [Sender(Unreliable(hub, np.random.default_rng(at)), f"player-{at}") for at in range(8)]

    def work(sender: Sender) -> None:
        for at in range(60):
            with suppress(ReplayUnavailableError):
                sender.send(games[at : at + 2])

    with ThreadPoolExecutor(len(senders)) as threads:
        list(threads.map(work, senders))
    hub.close()
    found = stored(tmp_path)
    for sender in senders:
        assert sender.acknowledged.items() <= found.items()
    unacknowledged = len(found) - sum(len(sender.acknowledged) for sender in senders)
    assert unacknowledged <= 2 * len(senders)  # the last shipment of each may be stored without its sender knowing


@pytest.mark.parametrize("full", [True, False])
def test_a_copy_is_acknowledged_only_if_the_first_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    """Both wait while another shipment is stored, and then the disk may be full: the sender hears so in either answer."""
    hub = hub_in(tmp_path)
    content = pack(random_games("tictactoe", 64)[:1], GAME)
    write, busy, go_on = ReplayWriter.write, Event(), Event()
    arrived: list[Arrival] = []

    def held(writer: ReplayWriter, episodes: Sequence[Episode], marks: Mapping[str, int]) -> None:
        if not busy.is_set():
            busy.set()
            go_on.wait()
        elif full:
            raise ReplayUnavailableError("full")
        write(writer, episodes, marks)

    def noted(*arguments: Any) -> Arrival:
        arrived.append(Arrival(*arguments))
        return arrived[-1]

    with ThreadPoolExecutor(3) as threads, monkeypatch.context() as patch:
        patch.setattr(ReplayWriter, "write", held)
        patch.setattr("trainer.cluster.hub.Arrival", noted)
        try:
            other = threads.submit(hub.store, "player-b", 1, content)
            wait_until(busy.is_set, "the other shipment isn't stored")
            answers = [threads.submit(hub.store, "player-a", 1, content) for _ in range(2)]
            wait_until(lambda: len(arrived) == 3, "they don't arrive")
        finally:
            go_on.set()
        errors = [answer.exception() for answer in (other, *answers)]
    assert [str(error) for error in errors] == ["None", *["full" if full else "None"] * 2]
    hub.store("player-a", 1, content)
    hub.close()
    assert len(stored(tmp_path)) == 2


def test_games_after_the_database_was_deleted_go_into_the_new_one(tmp_path: Path) -> None:
    """Also a shipment whose reply was lost, and with a hub that was started anew. Late copies of others change nothing."""
    games = random_games("tictactoe", 64)
    hub = hub_in(tmp_path)
    content = pack(games[:1], GAME)
    for number in (1, 2, 3):
        hub.store("player-a", number, pack(games[number : number + 1], GAME))
    delete_database(tmp_path / "replay.db")
    hub.store("player-a", 2, content)
    hub.store("player-a", 4, pack(games[4:5], GAME))
    assert [name[-11:-2] for name in stored(tmp_path)] == ["000000004"]
    delete_database(tmp_path / "replay.db")
    hub.close()
    hub = hub_in(tmp_path)
    hub.store("player-a", 5, pack(games[5:6], GAME))
    hub.close()
    assert [name[-11:-2] for name in stored(tmp_path)] == ["000000005"]


def test_games_go_on_after_an_older_copy_of_the_database_came_back(tmp_path: Path) -> None:
    """The copy lacks shipments that this hub has stored; that is no gap."""
    games = random_games("tictactoe", 64)
    hub = hub_in(tmp_path)
    hub.store("player-a", 1, pack(games[:1], GAME))
    with closing(sqlite3.connect(tmp_path / "replay.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    hub.store("player-a", 2, pack(games[1:2], GAME))
    delete_database(tmp_path / "replay.db")
    (tmp_path / "copy.db").rename(tmp_path / "replay.db")
    hub.store("player-a", 2, pack(games[1:2], GAME))
    hub.store("player-a", 3, pack(games[2:3], GAME))
    hub.close()
    assert [name[-11:-2] for name in stored(tmp_path)] == ["000000000", "000000002"]


def test_a_number_that_is_skipped_is_an_error(tmp_path: Path) -> None:
    """Nothing of it is stored, and others aren't affected."""
    content = pack(random_games("tictactoe", 64)[:1], GAME)
    hub = hub_in(tmp_path)
    hub.store("player-a", 1, content)
    with pytest.raises(
        ReplayError, match=r"^player-a sends shipment 3 after 1: those between are missing, so its games"
    ):
        hub.store("player-a", 3, content)
    hub.store("other-b", 1, content)
    hub.close()
    assert len(stored(tmp_path)) == 2


def test_a_shipment_that_can_not_be_stored_costs_no_other(tmp_path: Path) -> None:
    """Bytes of another game; games whose ids are there already, from a sender without a memory."""
    content = pack(random_games("tictactoe", 64)[:1], GAME)
    hub = hub_in(tmp_path)
    with pytest.raises(ReplayError, match="doesn't hold games of tictactoe"):
        hub.store("player-a", 1, content + b"x")
    with pytest.raises(ReplayError, match="too short"):
        hub.store("player-a", 1, content[:-1])
    hub.store("player-a", 1, content)
    with pytest.raises(ReplayError, match="UNIQUE"):
        hub.store("player-a", 2, content)
    hub.store("player-b", 1, content)
    hub.close()
    assert len(stored(tmp_path)) == 2


def test_a_full_disk_at_the_hub_delays_games_and_loses_none(small_disk: Path) -> None:
    """The player is told that it can't be done now, keeps the games, and the same shipment is stored when there is room."""
    games = random_games("tictactoe", 64)
    hub = hub_in(small_disk)
    sender = Sender(Reliable(hub), "player")
    sender.send(games[:2])
    filler = fill(small_disk)

    def send_until_it_fails() -> None:
        for _ in range(ROUNDS):
            sender.send(games)

    for _ in range(2):
        with pytest.raises(ReplayUnavailableError, match="full"):
            send_until_it_fails()
    filler.unlink()
    sender.send(games)
    sender.send(games[:3])
    hub.close()
    assert stored(small_disk) == sender.acknowledged


def test_a_large_batch_is_sent_in_parts_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What was acknowledged before the fault isn't sent again."""
    games = random_games("tictactoe", 64)
    network = Unreliable(hub_in(tmp_path), np.random.default_rng(3))
    sender = Sender(network, "player")
    batch = games * (4 * SHIPMENT_PLIES // sum(len(game.actions) for game in games))
    failures = 0
    for _ in range(ROUNDS):
        try:
            sender.send(batch)
            break
        except ReplayUnavailableError:
            failures += 1
    network.deliver_the_rest()
    network.hub.close()
    assert failures > 0
    assert stored(tmp_path) == sender.acknowledged
    assert len(sender.acknowledged) == len(batch)
    assert select(tmp_path / "replay.db", "SELECT last FROM shipments") == [(4,)]


def test_the_first_number_is_after_those_of_earlier_processes(tmp_path: Path) -> None:
    """So that a player that starts again repeats neither ids nor random numbers."""
    hub = hub_in(tmp_path)
    versions = our_versions()
    assert hub.join("player-1", versions).first_number == 0
    hub.store("player-1-aaaa", 1, pack(random_games("tictactoe", 64)[:5], GAME))
    assert hub.join("player-1", versions).first_number == 5
    assert hub.join("player-12", versions).first_number == 0
    hub.close()
