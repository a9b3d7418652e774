"""A player that is an engine which speaks UCI, the Universal Chess Interface, such as Fairy-Stockfish."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import EngineError, GameError
from trainer.games import game_of
from trainer.games.positions import Positions
from trainer.games.vocabulary import vocabulary_of
from trainer.players.base import Played, require_played
from trainer.players.engines.game import GameTranslator
from trainer.players.engines.options import require_offered, require_settings
from trainer.players.engines.process import EngineProcess, split_command


def own_go(command: str) -> str | None:
    """The line `go ...` that an engine's command has of its own, in place of a number of nodes."""
    _, lines = split_command(command)
    return next((line for line in lines if line.split()[:1] == ["go"]), None)


class UciPlayer:
    """One process for all games. It forgets everything before each move, so a move depends on its own game only."""

    def __init__(self, command: str, env_id: str, nodes: int, seconds: float) -> None:
        """Start the engine. Semicolons separate its `command` from lines that it gets first.

        It searches `nodes` nodes, unless one of the lines is another `go ...`. `seconds` is how long one answer may take.
        Raises GameError if UCI has no name for the game, ConfigError for a line that neither sets an option nor searches,
        EngineError if the engine doesn't work, doesn't know the game, or has no such option or value.
        """
        words = vocabulary_of(env_id)
        variant = words.uci_variant
        if variant is None:
            raise GameError(
                f"{game_of(env_id).env_id} can't be played through UCI, which has no name for it; name the variant in "
                f"the game's engine.py (docs/engines.md)"
            )
        program, lines = split_command(command)
        require_settings(lines)
        settings = [line for line in lines if line.split()[0] != "go"]
        self._go = own_go(command) or f"go nodes {nodes}"
        self._process = EngineProcess(program, seconds)
        self._translator = GameTranslator(env_id, words.uci_move)
        self._process.send("uci")
        answer = self._lines_until("uciok")
        reported = next((line[len("id name ") :] for line in answer if line.startswith("id name ")), program[0])
        shown = "; ".join([self._process.command, *settings, self._go])
        self.name = f"{reported} ({shown})"
        if not any(offers(line, variant) for line in answer):
            raise EngineError(
                f"the engine {self._process.command!r} doesn't offer the variant {variant!r}, a value of the option "
                f"UCI_Variant; use an engine that plays it, such as fairy-stockfish"
            )
        self._process.send(f"setoption name UCI_Variant value {variant}")
        for setting in settings:
            require_offered(setting, answer, self._process.command)
            self._process.send(setting)

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The engine's moves."""
        return np.array([self._move(game) for game in require_played(played)], np.int64)

    def _move(self, played: Sequence[int]) -> int:
        """The engine's move after these."""
        game = self._translator.translated(played)
        self._process.send("ucinewgame")
        self._process.send("isready")
        self._lines_until("readyok")
        moves = " ".join(move.name for move in game.moves)
        self._process.send(f"position startpos moves {moves}" if moves else "position startpos")
        self._process.send(self._go)
        *_, answer = self._lines_until("bestmove")
        said = answer.partition(" ")[2].strip().partition(" ")[0]
        return game.action(said, self._process.command)

    def _lines_until(self, word: str) -> list[str]:
        """The engine's lines up to the first that begins with `word`."""
        lines = [self._process.read_line()]
        while lines[-1].split()[:1] != [word]:
            lines.append(self._process.read_line())
        return lines


def offers(line: str, variant: str) -> bool:
    """Whether a line of an engine's answer to `uci` is the option UCI_Variant with this value."""
    words = line.split()
    return words[:3] == ["option", "name", "UCI_Variant"] and ("var", variant) in pairwise(words)
