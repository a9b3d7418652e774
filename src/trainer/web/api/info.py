"""Calls about what never changes while the server runs: that it answers, and the games it knows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

import trainer
from trainer.game_config import metadata_of
from trainer.games import find_game
from trainer.games.position import Position
from trainer.play.drawing import clicked_cells, has_owned_sides, owners, target_names
from trainer.web.http.answer import JsonAnswer
from trainer.web.runs.games import Games


def health(request: Request) -> Response:
    """GET /health"""
    return JsonAnswer({"status": "ok", "version": trainer.__version__})


class Info:
    """Answers about the games of the page."""

    def __init__(self, games: Games) -> None:
        self._games = games

    def games(self, request: Request) -> Response:
        """GET /games"""
        return JsonAnswer({"games": self._games.all()})

    def game_info(self, request: Request) -> Response:
        """GET /game-info/{env_id}"""
        return JsonAnswer(info_of(self._games.checked(request.path_params["env_id"])))


def info_of(env_id: str) -> dict[str, Any]:
    """A game's dimensions and words, and how its board is drawn."""
    found = find_game(env_id)
    game = found.game
    first = Position.first(found.rules)
    dimensions = asdict(metadata_of(game))
    del dimensions["packed_moves"]  # how rows are stored is nobody's business here
    return dimensions | {
        "player_names": game.player_names,
        "player_symbols": game.player_symbols,
        "description": game.description,
        "board_type": game.board_type,
        "bottom_row_first": game.bottom_row_first,
        "symbols": game.cell_symbols,
        "owners": owners(game),
        "action_cells": clicked_cells(game),
        "action_names": None if hasattr(found.own, "name") else [first.name(a) for a in range(game.num_actions)],
        "target_names": target_names(first),
        "owned_sides": has_owned_sides(game),
    }
