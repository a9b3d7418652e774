"""The replay databases of a run, one or several, as if they were one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer.run.folder import RunFolder
from trainer.web.runs.replay_file import PAGE_GAMES, ReplayFile, StoredGame


class ReplayFiles:
    """The databases in a run's folder. They are looked for at each call."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    @property
    def changed(self) -> float:
        """When any of them was last written, Unix seconds; 0 if there is none."""
        return max(file.changed for file in self._files)

    def stamp(self, env_id: str) -> str | None:
        """As `ReplayFile.stamp`; the rules are the same for all."""
        return next((stamp for file in self._files if (stamp := file.stamp(env_id))), None)

    def env_id(self) -> str | None:
        """As `ReplayFile.env_id`; None as well if they hold rows of different games."""
        found = {env_id for file in self._files if (env_id := file.env_id())}
        return found.pop() if len(found) == 1 else None

    def games(
        self, winner: int | None, times: tuple[int, int], before: Sequence[int]
    ) -> tuple[list[StoredGame], list[int] | None]:
        """Up to PAGE_GAMES games of all databases, the newest first, and the `before` to go on with; None at the end.

        `before` has the rowid to go on below for each database; empty: begin with the newest. The rest is as in
        `ReplayFile.games`. Raises MissingError if a database can't be read.
        """
        files = self._files
        starts = [*before, *[0] * (len(files) - len(before))] if before else [None] * len(files)
        answers = [file.games(winner, times, start) for file, start in zip(files, starts, strict=False)]
        listed = [(game, at) for at, (games, _) in enumerate(answers) for game in games]
        listed.sort(key=lambda one: -one[0].timestamp)  # keeps the order within a database
        taken, left = listed[:PAGE_GAMES], listed[PAGE_GAMES:]
        ends = [following or 0 for _, following in answers]
        for at in {at for _, at in left}:
            mine = [game.row for game, of in taken if of == at]
            ends[at] = mine[-1] if mine else answers[at][0][0].row + 1
        return [game for game, _ in taken], ends if left or any(ends) else None

    def rows(self, episode_id: str) -> list[dict[str, Any]]:
        """As `ReplayFile.rows`."""
        return next((rows for file in self._files if (rows := file.rows(episode_id))), [])

    @property
    def _files(self) -> list[ReplayFile]:
        return [ReplayFile(path) for path in self._folder.databases or [self._folder.replay]]
