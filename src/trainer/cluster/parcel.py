"""The rules of a game, sent to another machine: its name for a game of this package, its files for another one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from trainer.cluster.versions import RefusedError
from trainer.games.library import FoundGame, find_game, with_parameters
from trainer.run.kept_rules import contents


@dataclass(frozen=True)
class Parcel:
    """A game that can be found again elsewhere."""

    place: str
    """A game of this package, or the name of the file with the rules among `files`."""
    parameters: tuple[tuple[str, int], ...]
    files: dict[str, bytes]
    """The game's files by their names; empty for a game of this package."""
    digest: str
    """SHA-256 of the files."""
    stamp: str | None
    """The hash of the rules; None for the games of the contract."""

    def open(self, folder: Path) -> FoundGame:
        """Put the files into `folder`, which is empty, and find the game.

        Raises RefusedError if they were damaged on the way, or if the rules have another hash here.
        """
        if digest_of(self.files) != self.digest:
            raise RefusedError(
                f"the files of the game {self.place} arrived damaged: their SHA-256 is not {self.digest}"
            )
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        place = str(folder / self.place) if self.files else self.place
        found = find_game(with_parameters(place, self.parameters))
        if found.stamp != self.stamp:
            raise RefusedError(
                f"the rules of {found.game.env_id} have the hash {found.stamp} on the player's machine and {self.stamp} on "
                f"the hub's; install the same version of what they use on both"
            )
        return found


def parcel_of(found: FoundGame) -> Parcel:
    """The parcel of a game."""
    if found.in_package:
        return Parcel(found.path.parent.name, found.parameters, {}, digest_of({}), found.stamp)
    files = contents(found.path) | {found.path.name: found.text}
    return Parcel(found.path.name, found.parameters, files, digest_of(files), found.stamp)


def digest_of(files: dict[str, bytes]) -> str:
    """SHA-256 of files and their names."""
    content = hashlib.sha256()
    for name in sorted(files):
        content.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(files[name]).digest())
    return content.hexdigest()
