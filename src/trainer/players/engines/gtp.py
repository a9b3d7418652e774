"""A player that is an engine which speaks GTP, the Go Text Protocol, such as GNU Go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.core.errors import EngineError
from trainer.games.positions import Positions
from trainer.games.vocabulary import PASS, vocabulary_of
from trainer.players.base import RESIGNS, Played, require_played
from trainer.players.engines.game import GameTranslator
from trainer.players.engines.process import EngineProcess, split_command


class GtpPlayer:
    """One process for all games: before each of its moves the board is cleared and the game so far is played on it."""

    def __init__(self, command: str, env_id: str, seconds: float) -> None:
        """Start the engine. Semicolons separate its `command` from GTP commands that it gets first.

        `seconds` is how long one answer may take. Raises EngineError if the engine doesn't work, or refuses the game.
        """
        program, lines = split_command(command)
        self._process = EngineProcess(program, seconds)
        self._words = vocabulary_of(env_id)
        self._translator = GameTranslator(env_id, self._words.gtp_move)
        self.name = f"{self._ask('name')} {self._ask('version')} ({command.strip()})"
        for line in [*lines, *self._words.gtp_setup()]:
            self._ask(line)

    def choose(
        self, positions: Positions, generators: Sequence[np.random.Generator], played: Played | None = None
    ) -> NDArray[np.int64]:
        """The engine's moves. It draws its random numbers itself. RESIGNS where it gives up."""
        return np.array([self._move(game) for game in require_played(played)], np.int64)

    def _move(self, played: Sequence[int]) -> int:
        """The engine's move after these."""
        game = self._translator.translated(played)
        self._ask("clear_board")
        for move in game.moves:
            command = f"play {self._words.gtp_colour(move.player)} {move.name}"
            accepted, answer = self._answer(command)
            # Some engines make a move that is forced, such as a pass in Othello, by themselves.
            if not accepted and not (move.forced and move.name.lower() == PASS):
                raise EngineError(
                    f"the engine {self._process.command!r} refuses {command!r} ({answer}) of the game {game}; does it "
                    f"play this game by the same rules?"
                )
        said = self._ask(f"genmove {self._words.gtp_colour(game.player)}")
        if said.lower() == "resign":
            return RESIGNS
        return game.action(said, self._process.command)

    def _ask(self, command: str) -> str:
        """The answer to a command that must succeed."""
        accepted, answer = self._answer(command)
        if not accepted:
            raise EngineError(
                f"the engine {self._process.command!r} refuses {command!r} ({answer}); does it play this game, in this size?"
            )
        return answer

    def _answer(self, command: str) -> tuple[bool, str]:
        """Whether the engine accepts a command, and its answer."""
        self._process.send(command)
        first = self._process.read_line()
        while not first.strip():
            first = self._process.read_line()
        if first[0] not in "=?":
            raise EngineError(
                f"the engine {self._process.command!r} answers {command!r} by {first!r}, but in GTP an answer begins with "
                f"= or ?{self._process.last_words()}; is it started in its GTP mode?"
            )
        lines = [first[1:].strip()]
        while line := self._process.read_line().strip():
            lines.append(line)
        return first[0] == "=", " ".join(lines).strip()
