"""Stored rows as arrays, checked. N rows, A actions."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import ReplayError, shortened
from trainer.replay.database.metadata import Metadata
from trainer.replay.packing import legal_in, packed_width, unpacked_observations, unpacked_policies

COLUMNS = "rowid, observation, policy_probs, mcts_value, game_outcome"
"""The columns of `transitions` that `checked` takes, in this order."""


class Rows(NamedTuple):
    """Rows that passed every check. Values are for the mover; all else is absolute, as in the game."""

    rowid: NDArray[np.int64]
    """[N]"""
    observation: NDArray[np.float32]
    """[N, obs_size]"""
    policy: NDArray[np.float32]
    """[N, A] sums to 1, zero where not legal; all zero in a row without a policy target."""
    outcome: NDArray[np.float32]
    """[N] result of the game: +1 mover won, 0 draw, -1 mover lost."""
    search_value: NDArray[np.float32]
    """[N] for the mover; the outcome if the row has none."""


@dataclass(frozen=True)
class Origin:
    """Where N rows were read; used to name a row in an error."""

    path: Path
    connection: sqlite3.Connection
    rowids: Sequence[int]
    """[N]"""

    def id_of(self, row: int) -> str:
        """The id of a row. It is looked up only when an error needs it: reading a million ids takes a second."""
        rowid = self.rowids[row]
        found = self.connection.execute("SELECT id FROM transitions WHERE rowid = ?", (rowid,)).fetchone()
        return str(found[0]) if found else f"number {rowid}"


def checked(rows: Sequence[tuple[Any, ...]], meta: Metadata, path: Path, connection: sqlite3.Connection) -> Rows:
    """At least one row, as selected by `COLUMNS`. Raises ReplayError naming the first row that breaks the contract."""
    rowids, observations, policies, values, outcomes = zip(*rows, strict=True)
    origin = Origin(path, connection, rowids)
    observation = observations_of(observations, meta, origin)
    has_policy = np.array([policy is not None for policy in policies])
    if not has_policy.all():
        no_target = np.zeros(meta.packed_moves or meta.num_actions, np.float32).tobytes()
        policies = tuple(no_target if policy is None else policy for policy in policies)
    policy = floats_of(policies, meta.packed_moves or meta.num_actions, "policy_probs", meta.env_id, origin)
    outcome = numbers_of(outcomes, "game_outcome", origin)
    if None in values:
        values = tuple(z if q is None else q for q, z in zip(values, outcomes, strict=True))
    search_value = numbers_of(values, "mcts_value", origin)

    legal = legal_in(observation, meta)
    refuse(~legal.any(axis=1), "its observation has no legal move", origin)
    if meta.packed_moves:
        refuse(legal.sum(axis=1) > meta.packed_moves, "its observation has too many legal moves", origin)
        policy = unpacked_policies(policy, legal)
    refuse((policy < 0).any(axis=1), "policy_probs has a negative entry", origin)
    refuse(has_policy & (abs(policy.sum(axis=1) - 1) > 1e-3), "policy_probs does not sum to 1", origin)
    refuse((policy * ~legal > 0).any(axis=1), "policy_probs gives weight to an illegal move", origin)
    refuse(abs(outcome) > 1, "game_outcome is outside [-1, 1]", origin)
    refuse(abs(search_value) > 1 + 1e-3, "mcts_value is outside [-1, 1]", origin)
    return Rows(np.array(rowids), observation, policy, outcome, search_value)


def observations_of(stored: Sequence[Any], meta: Metadata, origin: Origin) -> NDArray[np.float32]:
    """float32 [N, obs_size] from a column of blobs, packed or not. Raises ReplayError naming the first bad row."""
    if not meta.packed_moves:
        return floats_of(stored, meta.obs_size, "observation", meta.env_id, origin)
    width = packed_width(meta.obs_size)
    refuse(
        [type(blob) is not bytes or len(blob) != width for blob in stored], f"observation is not {width} bytes", origin
    )
    packed = np.frombuffer(b"".join(stored), np.uint8).reshape(len(stored), width)
    return unpacked_observations(packed, meta.obs_size)


def floats_of(stored: Sequence[Any], width: int, column: str, env_id: str, origin: Origin) -> NDArray[np.float32]:
    """float32 [N, width] from a column of blobs. Raises ReplayError naming the first row of another length or with NaN."""
    if set(map(type, stored)) != {bytes} or set(map(len, stored)) != {4 * width}:
        row, blob = next(
            (i, blob) for i, blob in enumerate(stored) if type(blob) is not bytes or len(blob) != 4 * width
        )
        found = f"{len(blob) / 4:g} entries" if type(blob) is bytes else f"the value {shortened(blob)}"
        raise ReplayError(
            f"row {origin.id_of(row)} of {origin.path}: {column} has {found}, {env_id} needs {width}; was it written for "
            f"another game? (--skip-bad-rows skips such rows)"
        )
    values = np.frombuffer(b"".join(stored), "<f4").reshape(len(stored), width)
    refuse(~np.isfinite(values).all(axis=1), f"{column} holds NaN or infinity", origin)
    return values


def numbers_of(stored: Sequence[Any], column: str, origin: Origin) -> NDArray[np.float32]:
    """float32 [N] from a column of numbers. Raises ReplayError naming the first row that holds anything else."""
    if not set(map(type, stored)) <= {int, float}:
        refuse(np.array([type(number) not in (int, float) for number in stored]), f"{column} is not a number", origin)
    with np.errstate(over="ignore"):  # a number too large for float32 becomes infinity, which is refused below
        values = np.array(stored, np.float32)
    refuse(~np.isfinite(values), f"{column} holds NaN or infinity", origin)
    return values


def refuse(wrong: Any, reason: str, origin: Origin) -> None:
    """Raise ReplayError for the first row that is wrong (bool [N])."""
    if np.any(wrong):
        raise ReplayError(
            f"row {origin.id_of(int(np.argmax(wrong)))} of {origin.path}: {reason}; delete the row, skip it with "
            f"--skip-bad-rows, or find out what wrote it"
        )
