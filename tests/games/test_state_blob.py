"""The parts of a state blob are where the kernels that write and read blobs have them."""

from __future__ import annotations

import numpy as np
from kinds import every_kind
from lines_of_play import some_positions

from trainer.check.subject import Subject
from trainer.games.base import FLAGS
from trainer.games.state_blob import parts_of


@every_kind
def test_the_kernels_have_each_part_where_it_is(env_id: str) -> None:
    """`store` writes each part there. `restore` reads blobs that were put together from parts, here in the reverse order."""
    subject = Subject(env_id)
    game, states = subject.game, some_positions(env_id, 40)
    stored = subject.first(0).of(states).stored()
    parts = parts_of(game, stored)
    np.testing.assert_array_equal(parts.cells, subject.cells(states))
    np.testing.assert_array_equal(parts.words, states[:, : FLAGS + game.flag_words])
    np.testing.assert_array_equal(parts.raw, states[:, game.state_words - game.raw_words :])
    blank = np.zeros_like(stored)
    for part, content in zip(parts_of(game, blank), parts, strict=True):
        part[::-1] = content
    np.testing.assert_array_equal(subject.restored(blank), states[::-1])
