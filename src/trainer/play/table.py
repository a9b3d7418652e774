"""The game in the terminal: draws the board, takes moves and words, and lets the model answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from trainer.api import load_model
from trainer.games import game_of
from trainer.games.base import FIRST, SECOND
from trainer.games.kernels import link_kernels
from trainer.play.analysis import Analysis, analysed
from trainer.play.board import BoardText, Marks
from trainer.play.game_in_progress import Choice, GameInProgress, MoveError
from trainer.play.keys import have_keys, keys
from trainer.play.picking import STEPS, Picker
from trainer.players.network import PLAYING
from trainer.pretrained import PRETRAINED, shipped
from trainer.run.folder import RunFolder
from trainer.search import Search
from trainer.settings.play import PlayConfig

DEFAULT_GAME = "tictactoe"
MOST_SIMULATIONS = 10_000
WORDS = "hint, undo, level N, new, quit"


class Table:
    """A game, the model, and what the person is told."""

    def __init__(self, config: PlayConfig) -> None:
        """Load the model. Raises ModelError if there is none, or it can't be used."""
        config.check()
        path = path_of(config)
        env_id = config.env_id or (DEFAULT_GAME if str(path) == PRETRAINED else None)
        model = load_model(path, env_id, config.device, config.precision)
        self._rules = link_kernels(model.env_id).rules
        self._evaluate = model.evaluator
        self._search = Search(model.env_id, 1, MOST_SIMULATIONS, PLAYING)
        self._seat = FIRST if config.seat == "first" else SECOND
        self._step = "" if model.step is None else f" (step {model.step:,})"
        self.game = GameInProgress.new(self._rules, self._seat, config.simulations)
        self._board = BoardText(self.game.position)
        self.said = ""
        """What the person was told last."""
        self.over = False
        """The person wants no more."""

    def draw(self, picker: Picker | None = None, typed: str = "") -> Group:
        """All that is to be seen."""
        game, symbols = self.game, self.game.dimensions.player_symbols
        changed = game.last_changed()
        marks = Marks(picker.cursor, picker.chosen, changed) if picker and not typed else Marks(changed=changed)
        you, searches = symbols[game.human - 1], f"{game.simulations:,} simulations per move"
        lines = [
            Text(f"{game.dimensions.display_name}. You are {you}; the model{self._step} has {searches}.", "bold"),
            Text(),
            self._board.draw(game.position, marks),
        ]
        if game.position.score is not None:
            lines.append(
                Text(", ".join(f"{one} {points:g}" for one, points in zip(symbols, game.position.score, strict=True)))
            )
        return Group(*lines, Text(), Text(self.said or game.standing()))

    def moves(self) -> list[Choice]:
        """What the person may play; nothing if the game is over."""
        return [] if self.game.over or self.game.model_to_move else self.game.choices()

    def let_model_play(self) -> None:
        """Make the model's moves until it is the person's turn."""
        while self.game.model_to_move:
            before, analysis = self.game.position, self._analysis(self.game.simulations)
            self.game.play(analysis.best)
            self.said = f"The model plays {before.name(analysis.best)}. {self.game.standing()}"

    def play(self, action: int) -> None:
        """Make the person's move."""
        self.game.play(action)
        self.said = ""

    def obey(self, words: str) -> None:
        """Do what was typed: a move, or one of WORDS."""
        name, _, rest = words.strip().partition(" ")
        found = [one for one in self.moves() if words.strip() in (one.name, str(one.name).lower())]
        if found:
            self.play(found[0].action)
        elif name in ("quit", "q", "exit"):
            self.over = True
        elif name in ("hint", "h", "?"):
            self.said = self._hint()
        elif name in ("undo", "u"):
            self._undo()
        elif name in ("new", "n"):
            self.game = GameInProgress.new(self._rules, self._seat, self.game.simulations)
            self.said = ""
        elif name in ("level", "l") and rest.isdecimal() and int(rest) <= MOST_SIMULATIONS:
            self.game.simulations = int(rest)
            self.said = f"The model searches {int(rest)} times before each move now."
        elif name in ("level", "l"):
            self.said = f"A level is a number of simulations from 0 to {MOST_SIMULATIONS}, as in: level 400"
        elif words.strip():
            self.said = f"{words.strip()!r} is no legal move here, and none of: {WORDS}"

    def _undo(self) -> None:
        try:
            self.game.undo()
            self.said = "Taken back. Your turn."
        except MoveError as error:
            self.said = str(error)

    def _hint(self) -> str:
        """What the model would play here, and what it expects."""
        if not self.moves():
            return self.game.standing()
        analysis = self._analysis(max(self.game.simulations, 100))
        name = self.game.position.name(analysis.best)
        return f"The model would play {name}, and thinks that you win {50 * (1 + analysis.value):.0f}% of such games."

    def _analysis(self, simulations: int) -> Analysis:
        return analysed(self._search, self.game.position, simulations, self._evaluate)


def path_of(config: PlayConfig) -> Path:
    """The file of the model: the one that is named, else that of the run, else the one that comes with the package."""
    if config.model:
        return config.model
    name = game_of(config.env_id).env_id if config.env_id else DEFAULT_GAME
    own = RunFolder(config.data_dir or Path("data") / name).latest_model
    return own if config.data_dir or own.exists() else shipped(name) or own


def play(config: PlayConfig) -> int:
    """Play until the person wants no more; returns the exit status."""
    table = Table(config)
    console = Console(highlight=False)
    if have_keys():
        with_keys(table, console)
    else:
        with_lines(table, console)
    return 0


def with_lines(table: Table, console: Console) -> None:
    """Moves are typed, one per line."""
    console.print(f"Type a move, or: {WORDS}", markup=False)
    while not table.over:
        table.let_model_play()
        console.print(table.draw())
        console.print("> ", end="")
        line = sys.stdin.readline()
        if not line:
            return
        table.obey(line)


def with_keys(table: Table, console: Console) -> None:
    """Moves are chosen with the arrow keys and Enter, or typed."""
    with keys() as pressed, Live(console=console, auto_refresh=False) as live:
        picker, typed = None, ""
        for picker, typed in states(table, pressed, live):
            live.update(Group(table.draw(picker, typed), prompt(picker, typed)), refresh=True)


def states(table: Table, pressed: Iterator[str], live: Live) -> Iterator[tuple[Picker | None, str]]:
    """Follow the keys; gives the choice and the typed text whenever something changed."""
    near: int | None = None
    while not table.over:
        yield None, ""
        table.let_model_play()
        moves = table.moves()
        picker = Picker(table.game.dimensions, moves, near) if moves else None
        typed = ""
        yield picker, typed
        before = table.game.position
        for key in pressed:
            if key == "enter" and typed:
                table.obey(typed)
                typed = ""
            elif key == "enter" and picker:
                near = picker.cursor
                chosen = picker.choose()
                if chosen:
                    table.play(chosen.action)
            elif key == "back" and typed:
                typed = typed[:-1]
            elif key in ("back", "escape"):
                typed = ""
                if picker:
                    picker.back()
            elif key in STEPS and picker:
                picker.go(key)
            elif len(key) == 1:
                typed += key
            if table.over or table.game.position is not before:
                break
            yield picker, typed
        else:
            return  # the terminal is gone


def prompt(picker: Picker | None, typed: str) -> Text:
    """The line below the board."""
    if typed:
        return Text(f"> {typed}", "bold")
    if picker is None:
        return Text(f"Type: {WORDS}", "dim")
    named = f"Enter plays {picker.named.name}, arrows go on. " if picker.named else ""
    return Text(f"{named}Arrow keys and Enter, or type a move, or: {WORDS}", "dim")
