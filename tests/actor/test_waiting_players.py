"""Player threads that wait for a model."""

from __future__ import annotations

import threading
from typing import cast

from waiting import PATIENCE

from trainer.actor.played import PlayedGame
from trainer.actor.selfplay import SelfPlay
from trainer.actor.threads import PlayerThreads
from trainer.evaluators.interface import ModelSource


def test_players_that_wait_for_a_model_also_wait_for_the_next_one() -> None:
    """If the only model was given up, the games under way aren't finished at random."""
    looked_again = threading.Event()

    class Player:
        """A game is under way in it."""

        idle = False

        def play_randomly(self) -> list[PlayedGame]:
            """Not while players wait."""
            looked_again.set()
            raise AssertionError

        def take_finished(self) -> list[PlayedGame]:
            """None has ended."""
            return []

    class Models:
        """There is no model."""

        looks = 0

        @property
        def current(self) -> None:
            """None, which is seen more than once."""
            self.looks += 1
            if self.looks > 1:
                looked_again.set()

    models = cast(ModelSource, Models())
    threads = PlayerThreads([cast(SelfPlay, Player())], models, wait_for_model=True)
    with threads:
        assert looked_again.wait(PATIENCE)
    threads.raise_failure()
