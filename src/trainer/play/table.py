"""The game in the terminal: draws the board, takes moves and words, and lets the model answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from trainer.api import model_for
from trainer.core.errors import ModelError
from trainer.evaluators.named_game import game_named_in
from trainer.games import DEFAULT_GAME, game_of
from trainer.games.base import FIRST, SECOND
from trainer.games.kernels import compiled_rules
from trainer.games.position import listed
from trainer.games.vocabulary import action_named
from trainer.play.board import BoardText, Marks
from trainer.play.drawing import owners
from trainer.play.game_in_progress import Choice, GameInProgress, MoveError
from trainer.play.keys import forget_keys, have_keys, keys
from trainer.play.picking import STEPS, Picker
from trainer.play.screen import Screen
from trainer.players.network import PLAYING
from trainer.pretrained import PRETRAINED, env_ids, shipped
from trainer.run.folder import RunFolder
from trainer.run.model_files import read_model
from trainer.search import Search
from trainer.search.analysis import Analysis, analysed
from trainer.settings.play import MOST_SIMULATIONS, PlayConfig

WORDS = "hint, undo, level N, new, quit"
HINT_SIMULATIONS = 100
"""The least simulations of a hint."""


class Table:
    """A game, the model, and what the person is told."""

    def __init__(self, config: PlayConfig) -> None:
        """Load the model. Raises ModelError if there is none, or it can't be used."""
        config.check()
        path = path_of(config)
        env_id = config.env_id or (DEFAULT_GAME if str(path) == PRETRAINED else None)
        model = model_for(path, env_id, config)
        self._rules = compiled_rules(model.env_id)
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

    def draw(self, picker: Picker | None = None, typed: str = "", below: Text | None = None) -> Group:
        """All that is to be seen. The board comes last, so that a low terminal shows the words; `below`: a line above it."""
        game = self.game
        changed = game.changed_since_person()
        marks = Marks(picker.cursor, picker.chosen, changed) if picker and not typed else Marks(changed=changed)
        parts = [Text(f"{game.dimensions.display_name}. You are {self._person()}; {self._level()}.", "bold")]
        parts += [Text(self.said or game.standing()), *([below] if below else []), Text()]
        parts.append(self._board.draw(game.position, marks))
        if game.position.score is not None:
            first, second = game.position.score
            names = game.dimensions.player_names
            parts.append(Text(f"{names[0]} {first:g}, {names[1]} {second:g}"))
        return Group(*parts)

    def _person(self) -> str:
        """The person's side and pieces, such as White (PNBRQK)."""
        game = self.game.dimensions
        pieces = "".join(game.cell_symbols[code] for code, owner in enumerate(owners(game)) if owner == self.game.human)
        name = game.name_of(self.game.human)
        return name if name == pieces else f"{name} ({pieces})"

    def _level(self) -> str:
        number = self.game.simulations
        searches = f"{number:,} simulation{'' if number == 1 else 's'} per move" if number else "its raw policy"
        return f"the model{self._step} plays by {searches}"

    def moves(self) -> list[Choice]:
        """What the person may play; nothing if the game is over."""
        return [] if self.game.over or self.game.model_to_move else self.game.choices()

    def let_model_play(self) -> None:
        """Make the model's moves until it is the person's turn."""
        names = []
        while self.game.model_to_move:
            before, analysis = self.game.position, self._analysis(self.game.simulations)
            self.game.play(analysis.best)
            names.append(before.name(analysis.best))
        if names:
            self.said = f"The model plays {', '.join(names)}. {self.game.standing()}"

    def play(self, action: int) -> None:
        """Make the person's move."""
        self.game.play(action)
        self.said = ""

    def obey(self, words: str) -> None:
        """Do what was typed: a move, or one of WORDS."""
        text = words.strip()
        name, *rest = text.lower().split() or [""]
        action = action_named({one.name: one.action for one in self.moves()}, text)
        if action is not None:
            self.play(action)
        elif name in ("quit", "q", "exit"):
            self.over = True
        elif name in ("hint", "h", "?"):
            self.said = self._hint()
        elif name in ("undo", "u"):
            self._undo()
        elif name in ("new", "n"):
            self.game = GameInProgress.new(self._rules, self._seat, self.game.simulations)
            self.said = ""
        elif name in ("level", "l"):
            self._set_level(rest)
        elif text:
            names = listed([one.name for one in self.moves()]) or "none"
            self.said = f"{text!r} is not a legal move here (legal: {names}), nor one of: {WORDS}"

    def _set_level(self, words: list[str]) -> None:
        if len(words) == 1 and words[0].isdecimal() and len(words[0]) < 10 and int(words[0]) <= MOST_SIMULATIONS:
            self.game.simulations = int(words[0])
            self.said = f"From now on {self._level()}."
        else:
            self.said = f"A level is a number of simulations from 0 to {MOST_SIMULATIONS:,}, as in: level 400"

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
        analysis = self._analysis(max(self.game.simulations, HINT_SIMULATIONS))
        name = self.game.position.name(analysis.best)
        return (
            f"The model would play {name}, and expects you to score {50 * (1 + analysis.value):.0f}% (a draw is half)."
        )

    def _analysis(self, simulations: int) -> Analysis:
        return analysed(self._search, self.game.position, simulations, self._evaluate)


def path_of(config: PlayConfig) -> Path:
    """The file of the model: the one that is named, else that of the run, else the one that comes with the package."""
    if config.model:
        return config.model
    if config.data_dir:
        return RunFolder(config.data_dir).latest_model
    name = game_of(config.env_id).env_id if config.env_id else DEFAULT_GAME
    own, of_make_run = (RunFolder(folder).latest_model for folder in (Path("data") / name, Path("data")))
    if not own.exists() and of_make_run.exists() and game_named_in(read_model(of_make_run)) == name:
        return of_make_run
    if own.exists():
        return own
    found = shipped(name)
    if found is None:
        raise ModelError(
            f"there is no model of {name}: no {own}, and none comes with this package (there are {', '.join(env_ids())}); "
            f"learn it with cartridge loop --env-id {config.env_id or name}, or name one with --model"
        )
    return found


def play(config: PlayConfig) -> int:
    """Play until the person wants no more; returns the exit status."""
    table = Table(config)
    console = Console(highlight=False)
    if have_keys() and not console.is_dumb_terminal:
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
        line = sys.stdin.readline() if sys.stdin else ""  # None: it is closed
        if not line:
            console.print()
            return
        table.obey(line)


def with_keys(table: Table, console: Console) -> None:
    """Moves are chosen with the arrow keys and Enter, or typed."""
    with Screen(console) as screen, keys(screen.suspend, screen.resume) as pressed:
        for picker, typed in states(table, pressed):
            screen.show(table.draw(picker, typed, prompt(table, picker, typed)))


def states(table: Table, pressed: Iterator[str]) -> Iterator[tuple[Picker | None, str]]:
    """Follow the keys; gives the choice and the typed text whenever something changed."""
    near: int | None = None
    while not table.over:
        if table.game.model_to_move:
            yield None, ""
            table.let_model_play()
            forget_keys()  # they were meant for the position before
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
                near = picker.cursor if picker.cursor is not None else near
                if chosen := picker.choose():
                    table.play(chosen.action)
            elif key == "back" and typed:
                typed = typed[:-1]
            elif key == "escape" and typed:
                typed = ""
            elif key in ("back", "escape") and picker:
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


def prompt(table: Table, picker: Picker | None, typed: str) -> Text | None:
    """What can be done now; None while the model thinks."""
    if typed:
        return Text(f"> {typed}", "bold")
    if table.game.model_to_move:
        return None
    if picker is None:
        return Text(f"Type: {WORDS}", "dim")
    if picker.named:
        return Text(f"Enter plays {picker.named.name}, arrow keys show other moves. Or type: {WORDS}", "dim")
    without = "".join(f" (such as {one.name})" for one in picker.choices[-1:] if not one.cells)
    return Text(f"Arrow keys and Enter, or type a move{without}, or: {WORDS}", "dim")
