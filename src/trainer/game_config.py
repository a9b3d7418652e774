"""A game's dimensions, from the replay database's metadata or else from the rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainer.core.errors import GameError
from trainer.games import find_game, has_rules, known_games
from trainer.games.base import Game
from trainer.games.layout import Layout, layout_from_json, layout_of, layout_to_json, view_table
from trainer.games.library import FoundGame, rules_differ
from trainer.games.symmetry import Symmetry
from trainer.replay import Metadata, StoredRules, SymmetryTables, has_tables, read_game
from trainer.replay.database.metadata import LARGEST_COUNT


@dataclass(frozen=True)
class GameConfig:
    """What training needs to know about a game: its dimensions, and its symmetries if the rules are known."""

    metadata: Metadata
    symmetries: tuple[Symmetry, ...] = ()
    layout: Layout | None = None
    """What the numbers of an observation mean; None: unknown."""
    stamp: str | None = None
    """A hash of the rules, for the rows and models of this game; None: they carry none."""

    @property
    def stored_rules(self) -> StoredRules | None:
        """What the replay database keeps of the rules; None: this is a game of the contract, or its layout is unknown."""
        if self.layout is None or self.stamp is None:
            return None
        return StoredRules(layout_to_json(self.layout, self.metadata.packed_moves), self.stamp)

    @property
    def symmetry_tables(self) -> SymmetryTables:
        """The symmetries as index tables over observations and policies; only the identity if none are known."""
        if not self.symmetries or self.layout is None:
            return SymmetryTables.identity(self.metadata)
        planes, features = np.arange(self.layout.planes), np.arange(self.layout.features)
        seats = np.arange(self.layout.end, self.metadata.obs_size)
        actions = [np.array(symmetry.actions) for symmetry in self.symmetries]
        views = [
            np.append(view_table(planes, np.array(symmetry.cells), features, table), seats)
            for symmetry, table in zip(self.symmetries, actions, strict=True)
        ]
        return SymmetryTables(np.array(views, np.int32), np.array(actions, np.int32))


def metadata_of(game: Game) -> Metadata:
    """The dimensions of a game whose rules are known, in the form in which the replay database states them.

    Raises GameError for a game that is too large to be stored.
    """
    if max(game.obs_size, game.num_actions) > LARGEST_COUNT:
        raise GameError(
            f"{game.env_id} has {game.num_actions:,} actions and {game.obs_size:,} numbers in an observation; up to "
            f"{LARGEST_COUNT:,} of each can be stored: show the network fewer planes, or divide moves into steps"
        )
    return Metadata(
        env_id=game.env_id,
        display_name=game.display_name,
        board_width=game.width,
        board_height=game.height,
        num_actions=game.num_actions,
        obs_size=game.obs_size,
        legal_mask_offset=game.legal_mask_offset,
        packed_moves=game.packed_moves,
    )


def load_game_config(env_id: str, *databases: str | Path) -> GameConfig:
    """The dimensions of `env_id` from the metadata of databases, or else from the rules; without databases from the rules.

    A file without tables says nothing yet. Raises GameError if the game has neither, or if any two contradict each other;
    ReplayError if a file isn't a database.
    """
    paths = [Path(db) for db in databases]
    if not paths:
        return config_of_rules(find_game(env_id))
    there = [db for db in paths if has_tables(db)] or paths[:1]
    first, *others = (config_in(env_id, db) for db in there)
    for db, other in zip(there[1:], others, strict=True):
        if replace(other.metadata, display_name="") != replace(first.metadata, display_name=""):
            raise GameError(
                f"{there[0]} and {db} state other dimensions for {env_id}; give databases of one game with --db"
            )
    return first


def config_of_rules(found: FoundGame) -> GameConfig:
    """What the rules alone say."""
    return GameConfig(metadata_of(found.game), found.game.symmetries, layout_of(found.game), found.stamp)


def config_in(env_id: str, db: Path) -> GameConfig:
    """`load_game_config` for one database."""
    if not has_rules(env_id):
        return without_rules(env_id, db)
    found = find_game(env_id)
    by_rules = config_of_rules(found)
    known = by_rules.metadata
    stated, kept = read_game(db, known.env_id)
    for name in ("board_width", "board_height", "num_actions", "obs_size", "legal_mask_offset"):
        if stated and getattr(stated, name) != getattr(known, name):
            raise GameError(
                f"{db} states {name} = {getattr(stated, name)} for {env_id}, the rules here have "
                f"{getattr(known, name)}; give the database of this version of the game with --db"
            )
    played_by = kept.stamp if kept else None
    if rules_differ(played_by, found.stamp):
        raise GameError(
            f"the games in {db} were played by other rules of {known.env_id}: their hash is {played_by}, and that of "
            f"{found.path} is {found.stamp}; {found.where_older_rules_are}, or give another database"
        )
    return by_rules


def without_rules(env_id: str, db: Path) -> GameConfig:
    """What a database says of a game whose rules are not known here. Raises GameError if that can't be understood."""
    stated, kept = read_game(db, env_id)
    if stated is None:
        raise GameError(
            f"the game {env_id!r} has neither rules here nor metadata in {db}; "
            f"the games with rules are {', '.join(known_games())}; name one of your own by its file "
            f"(--env-id ./{env_id}.py)"
        )
    if stated.legal_mask_offset + stated.num_actions > stated.obs_size:
        raise GameError(
            f"the metadata of {env_id} in {db} contradicts itself: legal_mask_offset {stated.legal_mask_offset} + "
            f"num_actions {stated.num_actions} is more than obs_size {stated.obs_size}"
        )
    if kept is None:
        return GameConfig(stated, layout=contract_layout(stated))
    try:
        layout, packed = layout_from_json(kept.layout, stated.board_height, stated.board_width, stated.num_actions)
    except ValueError as error:
        raise GameError(f"the layout of {env_id} in {db} can't be read ({error}); name the file of its rules") from None
    if layout.end + 2 != stated.obs_size:
        raise GameError(
            f"the layout of {env_id} in {db} has {layout.end + 2} numbers per observation, and its metadata says "
            f"{stated.obs_size}; name the file of its rules"
        )
    if layout.legal_begin != stated.legal_mask_offset:
        raise GameError(
            f"the layout of {env_id} in {db} has the legal moves from number {layout.legal_begin} on, and its metadata says "
            f"{stated.legal_mask_offset}; name the file of its rules"
        )
    return GameConfig(replace(stated, packed_moves=packed), (), layout, kept.stamp)


def contract_layout(stated: Metadata) -> Layout | None:
    """The layout of a game without rules: that of the replay contract if its sizes fit, else it is unknown."""
    layout = Layout.of_contract(stated.board_height, stated.board_width, stated.num_actions)
    fits = stated.legal_mask_offset == layout.board_numbers and stated.obs_size == layout.end + 2
    return layout if fits else None
