"""The hub of a cluster: the only writer of a run's replay database and of its actor_stats.json.

A shipment is stored in one transaction together with its number, and acknowledged after that. So whatever gets lost on the
way, the sender may send it again: a number that is stored already is only acknowledged. (Ray delivers a call at least once.)
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore, Lock

from trainer.actor.episodes import episodes_of
from trainer.actor.sink import episode_id, first_free_number
from trainer.cluster.parcel import parcel_of
from trainer.cluster.roster import Roster, Statistics
from trainer.cluster.shelf import ModelShelf, ShelvedModel
from trainer.cluster.shipment import unpack
from trainer.cluster.transport import Assignment
from trainer.cluster.versions import our_versions, refuse_other_versions
from trainer.core.errors import ReplayError, ReplayUnavailableError
from trainer.game_config import load_game_config
from trainer.games import find_game
from trainer.games.positions import Positions
from trainer.replay import Episode, ReplayWriter
from trainer.run.folder import RunFolder
from trainer.run.kept_network import read_network
from trainer.settings.actor import ActorConfig
from trainer.settings.groups.device import Device

log = logging.getLogger(__name__)

UNPACKED = 4
"""Shipments that are held unpacked at a time; further ones wait as bytes. They may share a transaction."""


@dataclass
class Arrival:
    """A shipment that waits to be stored."""

    sender: str
    number: int
    episodes: Sequence[Episode]
    settled: bool = False
    error: ReplayError | None = field(
        default_factory=lambda: ReplayUnavailableError("the hub failed while it stored a shipment")
    )

    def settle(self, error: ReplayError | None = None) -> None:
        """It is stored, or can't be."""
        self.settled, self.error = True, error


class Hub:
    """Takes shipments and reports, and hands out the newest model. Several threads may call it."""

    def __init__(self, config: ActorConfig) -> None:
        """Open or create the database. `config` has the paths of the run, and the settings of its players."""
        our_versions()  # noted now, before anybody edits the files
        run = RunFolder(config.data_dir)
        found = find_game(config.env_id)
        played = load_game_config(config.env_id, config.replay)
        device: Device = "cpu" if config.device == "cpu" else "auto"  # what each player's machine has
        self._gpu_wanted = config.device == "cuda"
        self._network_file = read_network(config.network_file) if config.network_file else None
        self._config = replace(config, env_id=found.game.env_id, device=device, network_file=None)
        self._rules = parcel_of(found)
        self._game = found.game
        self._positions = Positions(config.env_id, 0)
        self._writer = ReplayWriter(
            config.replay, played.metadata, config.replay_window, played.stored_rules, shipments=True
        )
        self._writing = Lock()
        self._unpacked = BoundedSemaphore(UNPACKED)
        self._arrivals: deque[Arrival] = deque()
        self._last: dict[str, int] = {}
        self._shelf = ModelShelf(run.latest_model)
        self.roster = Roster(run.actor_stats, found.game.env_id)

    def join(self, name: str, versions: Mapping[str, str]) -> Assignment:
        """What the player `name` needs. Raises RefusedError for another version of the trainer or of Python."""
        refuse_other_versions(versions)
        with self._writing:
            first = first_free_number(self._writer, name)
        return Assignment(
            replace(self._config, actor_id=name), self._rules, first, self._network_file, self._gpu_wanted
        )

    def store(self, sender: str, number: int, content: bytes, statistics: Statistics | None = None) -> None:
        """Store a shipment, packed by `shipment.pack`, unless it is stored already. Returning acknowledges it.

        Raises ReplayUnavailableError if the database can't be written now, and ReplayError for what isn't a shipment or
        skips a number.
        """
        self.roster.heard(sender, statistics)
        with self._unpacked:
            if number <= self._last.get(sender, 0):
                return
            games = unpack(content, self._game)
            episodes = episodes_of(self._positions, games, lambda game: episode_id(sender, game))
            arrival = Arrival(sender, number, episodes)
            self._arrivals.append(arrival)
            with self._writing:
                for _ in range(2):  # if it is a copy of one that waits, only that one is settled at first
                    if not arrival.settled:
                        self._store_arrivals()
        self.roster.heard(sender)  # it may have waited for longer than a silence lasts
        if arrival.error is not None:
            raise type(arrival.error)(str(arrival.error))

    def report(self, sender: str, statistics: Statistics) -> None:
        """Note what a player did."""
        self.roster.heard(sender, statistics)

    def newest_model(self, known: str | None) -> ShelvedModel | None:
        """The newest model; None if there is none, or if it is the one with the identity `known`."""
        newest = self._shelf.newest
        return None if newest is None or newest.identity == known else newest

    def close(self) -> None:
        """Write the last statistics and close the database, after what is being stored."""
        self.roster.publish()
        with self._writing:
            self._writer.close()

    def _store_arrivals(self) -> None:
        """Store all shipments that wait, in one transaction, and settle each.

        A copy of one of them stays in the queue. The thread that brought it looks after it when this is over, because it is
        known then whether the first copy is stored.
        """
        new: list[Arrival] = []
        copies: list[Arrival] = []
        last: dict[str, int] = {}
        while self._arrivals:
            arrival = self._arrivals.popleft()
            try:
                if follows(arrival, last.get(arrival.sender) or self._last_of(arrival.sender)):
                    new.append(arrival)
                    last[arrival.sender] = arrival.number
                elif arrival.sender in last:
                    copies.append(arrival)
                else:
                    arrival.settle()
            except ReplayError as error:
                arrival.settle(error)
        self._arrivals.extend(copies)
        self._write(new)

    def _write(self, arrivals: Sequence[Arrival]) -> None:
        """Store new shipments and settle them. If one of them can't be stored, the others are stored without it."""
        if not arrivals:
            return
        marks = {arrival.sender: arrival.number for arrival in arrivals}
        try:
            self._writer.write([episode for arrival in arrivals for episode in arrival.episodes], marks)
        except ReplayError as error:
            if len(arrivals) > 1 and not isinstance(error, ReplayUnavailableError):
                for arrival in arrivals:
                    self._write([arrival])
                return
            for arrival in arrivals:
                arrival.settle(error)
            return
        self._last.update(marks)
        for arrival in arrivals:
            arrival.settle()

    def _last_of(self, sender: str) -> int | None:
        """The number of the sender's last shipment that is stored; None if it is not known here.

        It is in the database, unless that was replaced while this hub ran. It is read again each time: after an error of
        the disk only the database knows whether the last transaction was stored.
        """
        known = self._last.get(sender)
        stored = self._writer.last_shipment(sender)
        return max((number for number in (known, stored) if number is not None), default=None)


def follows(arrival: Arrival, before: int | None) -> bool:
    """Whether a shipment is the one after number `before`, the last that is stored; False if it is stored already.

    None: nothing is known of its sender. Then any number will do, because the database may have been replaced while no hub
    ran. Raises ReplayError if a number was skipped.
    """
    if before is None:
        if arrival.number > 1:
            log.warning(
                "%s goes on with shipment %d: the earlier ones are not in this database", arrival.sender, arrival.number
            )
        return True
    if arrival.number > before + 1:
        raise ReplayError(
            f"{arrival.sender} sends shipment {arrival.number} after {before}: those between are missing, so its games are "
            f"not stored; it must start again"
        )
    return arrival.number > before
