"""The commands of GTP that the engine knows, and the game that they are about."""

from __future__ import annotations

from collections.abc import Callable

import trainer
from trainer.api import Model
from trainer.games import game_of
from trainer.games.base import DRAW, FIRST, OPEN, SECOND
from trainer.games.kernels import compiled_rules
from trainer.games.position import Position
from trainer.games.vocabulary import PASS, action_named, vocabulary_of

Arguments = list[str]
COLOURS = {"b": "black", "black": "black", "w": "white", "white": "white"}


class Refusal(Exception):
    """A command that fails; the message is the answer, in the words of the protocol where it has some."""


class Commands:
    """One game, and the commands that change it."""

    def __init__(self, model: Model, simulations: int) -> None:
        self.ended = False
        """`quit` was answered."""
        self._model = model
        self._simulations = simulations
        self._game = game_of(model.env_id)
        self._words = vocabulary_of(model.env_id)
        self._turns = [Position.first(compiled_rules(model.env_id))]
        """The first position, and the one after each `play` and `genmove`, which can be two plies: see `_passed`."""
        self._commands: dict[str, Callable[[Arguments], str]] = {
            "boardsize": self._board_size,
            "clear_board": self._clear_board,
            "final_score": self._final_score,
            "genmove": self._generate_move,
            "known_command": lambda arguments: str(bool(arguments) and arguments[0] in self._commands).lower(),
            "komi": self._komi,
            "list_commands": lambda _: "\n".join(sorted(self._commands)),
            "name": lambda _: "Cartridge",
            "play": self._play,
            "protocol_version": lambda _: "2",
            "quit": self._quit,
            "rectangular_boardsize": self._board_size,
            "showboard": self._show_board,
            "time_left": lambda _: "",  # the number of simulations says how long it thinks, whatever the clock
            "time_settings": lambda _: "",
            "undo": self._undo,
            "version": self._version,
        }

    def run(self, name: str, arguments: Arguments) -> str:
        """The answer to a command. Raises Refusal, or TrainerError if the model can't be used."""
        if name not in self._commands:
            raise Refusal("unknown command")
        return self._commands[name](arguments)

    @property
    def _position(self) -> Position:
        return self._turns[-1]

    def _version(self, arguments: Arguments) -> str:
        step = "" if self._model.step is None else f" step {self._model.step}"
        return f"{trainer.__version__} ({self._game.env_id}{step}, {self._simulations} simulations)"

    def _quit(self, arguments: Arguments) -> str:
        self.ended = True
        return ""

    def _board_size(self, arguments: Arguments) -> str:
        """Only the size that the model plays."""
        if not arguments or not all(argument.isdecimal() and len(argument) < 10 for argument in arguments):
            raise Refusal("boardsize not an integer")
        width, height = int(arguments[0]), int(arguments[-1])
        if (width, height) != (self._game.width, self._game.height):
            raise Refusal("unacceptable size")
        return self._clear_board([])

    def _clear_board(self, arguments: Arguments) -> str:
        del self._turns[1:]
        return ""

    def _komi(self, arguments: Arguments) -> str:
        """Only the komi of the rules; any, if the game has none."""
        try:
            komi = float(arguments[0])
        except (IndexError, ValueError) as error:
            raise Refusal("komi not a float") from error
        for command in self._words.gtp_setup():
            name, _, own = command.partition(" ")
            if name == "komi" and float(own) != komi:
                raise Refusal(f"this model plays with komi {own}")
        return ""

    def _play(self, arguments: Arguments) -> str:
        """Make the move of either player."""
        if len(arguments) != 2:
            raise Refusal("invalid color or coordinate")
        colour, name = colour_of(arguments[0]), arguments[1]
        position = self._turn(colour)
        named = {self._words.gtp_move(position.state, action): action for action in position.legal}
        action = action_named(named, name)
        if action is None:
            raise Refusal("illegal move")
        self._turns.append(position.play(action))
        return ""

    def _generate_move(self, arguments: Arguments) -> str:
        """Let the model move."""
        if len(arguments) != 1:
            raise Refusal("invalid color")
        colour = colour_of(arguments[0])
        position = self._turn(colour)
        action = self._model.best_move(position, self._simulations)
        self._turns.append(position.play(action))
        return self._words.gtp_move(position.state, action)

    def _turn(self, colour: str) -> Position:
        """The position in which `colour` is to move: this one, or the one after a pass that is forced.

        Raises Refusal if the game is over, or it is the other player's turn.
        """
        position = self._passed(colour)
        if position.winner != OPEN:
            raise Refusal("the game is over")
        if self._words.gtp_colour(position.mover) != colour:
            raise Refusal(f"it is the turn of {self._words.gtp_colour(position.mover)}")
        return position

    def _passed(self, colour: str) -> Position:
        """The position after a pass of the other player that is forced, which some programs don't send; else this one."""
        position = self._position
        if self._words.gtp_colour(position.mover) != colour and len(position.legal) == 1:
            (only,) = position.legal
            if self._words.gtp_move(position.state, only).lower() == PASS:
                return position.play(only)
        return position

    def _show_board(self, arguments: Arguments) -> str:
        """The board, without the empty lines, which would end the answer."""
        return "".join(f"\n{line}" for line in str(self._position).splitlines() if line.strip())

    def _undo(self, arguments: Arguments) -> str:
        """Take back the last `play` or `genmove`, with the pass before it if that wasn't sent."""
        if len(self._turns) == 1:
            raise Refusal("cannot undo")
        del self._turns[-1]
        return ""

    def _final_score(self, arguments: Arguments) -> str:
        """Who has won, and by how much if the game has points."""
        position = self._position
        if position.winner == OPEN:
            raise Refusal("the game is not over")
        if position.winner == DRAW:
            return "0"
        winner = FIRST if position.winner == FIRST else SECOND
        difference = f"{abs(position.score[0] - position.score[1]):g}" if position.score else ""
        return f"{self._words.gtp_colour(winner)[0].upper()}+{difference}"


def colour_of(word: str) -> str:
    """`black` or `white`, from a colour as GTP writes it."""
    colour = word.lower()
    if colour not in COLOURS:
        raise Refusal("invalid color or coordinate")
    return COLOURS[colour]
