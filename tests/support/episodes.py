"""Episodes of tic-tac-toe, written by hand."""

from __future__ import annotations

import numpy as np
from conftest import CENTRE, EMPTY_BOARD

from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.replay import Episode

TICTACTOE = metadata_of(game_of("tictactoe"))


def episode(name: str = "a-0", plies: int = 2) -> Episode:
    """A made-up game. Its arrays are numbered, so that mixed-up rows or columns show."""
    observations = np.tile(np.frombuffer(EMPTY_BOARD, "<f4"), (plies + 1, 1))
    observations[np.arange(plies + 1), np.arange(plies + 1)] = 1
    return Episode(
        env_id="tictactoe",
        episode_id=name,
        states=np.arange((plies + 1) * 11, dtype=np.uint8).reshape(plies + 1, 11),
        observations=observations,
        actions=np.arange(4, 4 + plies, dtype=np.uint32),
        visits=np.tile(np.frombuffer(CENTRE, "<f4"), (plies, 1)),
        values=np.linspace(0.25, 0.5, plies, dtype=np.float32),
        outcomes=np.where(np.arange(plies) % 2 == 0, -1, 1).astype(np.float32),
    )
