"""The games that the page plays and shows."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.games import ENV_IDS, find_game, is_available
from trainer.web.runs.missing import MissingError
from trainer.web.runs.runs import Runs


class Games:
    """Those of this package, those that the server was started with, and those of the runs. Requests add none."""

    def __init__(self, runs: Runs, further: Sequence[str] = ()) -> None:
        """`further`: names of games, such as paths of files. Raises GameError if there is no game of such a name."""
        self._runs = runs
        self._given = dict.fromkeys((*ENV_IDS, *(find_game(name).game.env_id for name in further)))

    def all(self) -> list[str]:
        """Their env_ids: of this package's games first, then of those given, then of the runs."""
        return list(self._given | dict.fromkeys(self.of_runs()))

    def of_runs(self) -> list[str]:
        """The env_ids of the runs' games. Games of somebody's own files are among them only if they were given."""
        found = dict.fromkeys(run.env_id for run in self._runs.all())
        return [env_id for env_id in found if env_id and is_available(env_id)]

    def checked(self, env_id: object) -> str:
        """The env_id that a request names. Raises MissingError for any other, and loads nothing for it."""
        if isinstance(env_id, str) and (env_id in self._given or env_id in self.of_runs()):
            return env_id
        raise MissingError(
            "There is no game of that name; GET /games lists those that there are. One in a file of your own must be named "
            "when the page is started, by --games."
        )


def require_rules(env_id: str) -> None:
    """Raise MissingError if the rules of a game that a run's files name are not known here."""
    if not is_available(env_id):
        raise MissingError(f"The rules of {env_id} are not known here; start the page with --games FILE.")
