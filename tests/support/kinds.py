"""Games of every kind, for tests that would take long with all games.

One each with moves in a row, with few legal moves among many actions, and with a history, features and no exchange of
players, beside the three games of the replay contract.
"""

from __future__ import annotations

import pytest

from trainer.games.library import OF_CONTRACT

KINDS = (*OF_CONTRACT, "dots:rows=2,columns=2", "breakthrough:rows=6,columns=5", "go:size=4")

every_kind = pytest.mark.parametrize("env_id", KINDS)
