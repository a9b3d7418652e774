"""The whole check of a game, printed as it goes: what failed, the moves that show it, then statistics."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from trainer.check import statistics
from trainer.check.bounds import bounds_checked
from trainer.check.checks import hidden, key, seats, symmetries
from trainer.check.checks.against import actions_of, check_against, openspiel_game
from trainer.check.checks.compiled import check_compiled
from trainer.check.checks.crashes import late_crash
from trainer.check.checks.hidden import check_hidden
from trainer.check.checks.key import check_key
from trainer.check.checks.length import check_length
from trainer.check.checks.names import check_names
from trainer.check.checks.plain import check_plain
from trainer.check.checks.promises import check_promises
from trainer.check.checks.seats import check_seats
from trainer.check.checks.solved import check_solved
from trainer.check.checks.stored import check_stored
from trainer.check.checks.sudden_wins import check_sudden_wins
from trainer.check.checks.symmetries import check_symmetries
from trainer.check.exact import MOST_POSITIONS, Solution, solve
from trainer.check.findings import Finding, Level
from trainer.check.subject import Subject
from trainer.game_config import metadata_of
from trainer.games.recipes import recipe_of
from trainer.settings.check import CheckConfig

WIDTH = 110
MOST_NAMES_SHOWN = 40
LAST_NAMES_SHOWN = 10
MARKS = {Level.NOTE: "note", Level.WARNING: "warning", Level.FAILURE: "FAILED"}
Check = Callable[[Subject], list[Finding] | None]
"""None: the game has nothing of what the check is about."""


@dataclass(frozen=True)
class Result:
    """The outcome of one check."""

    name: str
    findings: list[Finding]
    applies: bool = True
    """False if the game has nothing of what the check is about, or is too large for it."""
    games: int | None = None
    """How many random games it has played, if it chooses that by the size of the game."""

    @property
    def failed(self) -> bool:
        """Whether something must be fixed."""
        return any(finding.level is Level.FAILURE for finding in self.findings)


FOUNDATIONS: dict[str, Check] = {
    "functions compile, and compute with integers": check_compiled,
    "every position of random games is as promised": check_promises,
    "compiled and plain functions agree": check_plain,
}
"""Without these, no other check makes sense. They stop at the first that fails."""
CHECKS: dict[str, Check] = {
    "stored positions come back as they were": check_stored,
    "wins_next tells the truth": check_sudden_wins,
    "words beyond key_words decide nothing": check_key,
    "the network sees all that decides": check_hidden,
    "symmetries hold": check_symmetries,
    "players can be exchanged as Seats says": check_seats,
    "games end by themselves": check_length,
    "people can tell the moves apart": check_names,
}
GAMES: dict[Check, Callable[[Subject], int]] = {
    check_key: key.games_played,
    check_hidden: hidden.games_played,
    check_symmetries: symmetries.games_played,
    check_seats: seats.games_played,
}
"""Of the checks whose work grows with the size of a position, how many games they play."""
SOLVED = "search proves what exhaustive play says"


def results(subject: Subject, against: str | None = None) -> Iterator[Result]:
    """Each check's result as soon as it is known. The search is tried last, if nothing else failed."""
    failed = False
    with bounds_checked():
        for name, check in FOUNDATIONS.items():
            result = Result(name, check(subject) or [])
            yield result
            if result.failed:
                return
        for name, check in CHECKS.items():
            found = found_by(check, subject)
            games = GAMES[check](subject) if check in GAMES else None
            result = Result(name, found or [], found is not None, games)
            failed |= result.failed
            yield result
        if against:
            compared = found_by(partial(check_against, name=against), subject)
            result = Result(f"OpenSpiel's {against} agrees", compared or [])
            failed |= result.failed
            yield result
        if failed:
            return
        try:
            solution = solve(subject)
        except IndexError as error:
            yield Result(SOLVED, [late_crash(subject, error)])
            return
    if isinstance(solution, Finding):
        yield Result(SOLVED, [solution])
    else:
        yield solved(subject, solution)


def found_by(check: Check, subject: Subject) -> list[Finding] | None:
    """What a check finds, with indices out of bounds that the game uses where it looks; None if it doesn't apply."""
    try:
        return check(subject)
    except IndexError as error:
        return [late_crash(subject, error)]


def solved(subject: Subject, solution: Solution | None) -> Result:
    """The comparison of search with the solution, of which it says the value; None: the game is too large to be solved."""
    if solution is None:
        text = (
            f"The game has more than about {MOST_POSITIONS:,} positions, or very large ones. If its size is a parameter, "
            "check a small one, too, as in ./mygame.py:size=3: search is compared with exhaustive play only there."
        )
        return Result(SOLVED, [Finding(Level.NOTE, text)], applies=False)
    value = {1: "the first player wins", 0: "it is a draw", -1: "the second player wins"}[solution.value]
    visited = (
        "1 unfinished position was" if solution.positions == 1 else f"{solution.positions:,} unfinished positions were"
    )
    text = f"{visited} visited. With best play {value}."
    return Result(SOLVED, [Finding(Level.NOTE, text), *check_solved(subject, solution)])


def check(config: CheckConfig) -> int:
    """Check a game and print what was found; returns 0 if nothing failed, else 1.

    Raises GameError for a game that can't be loaded, is too large to be stored, or has a wrong recipe.
    """
    config.check()
    out = Console(width=WIDTH, highlight=False, markup=False, soft_wrap=True)
    subject = Subject(config.game, config.games, config.seed)
    game = subject.game
    metadata_of(game)
    recipe_of(subject.env_id)
    if config.against:  # what is wrong with it is said before the checks, which take a while
        openspiel_game(config.against)
        actions_of(subject)
    out.print(f"{game.display_name} ({game.env_id}), {subject.found.path}")
    failed, finished, out_of_bounds = 0, set(), False
    for result in results(subject, config.against):
        finished.add(result.name)
        failed += result.failed
        out_of_bounds |= any(finding.out_of_bounds for finding in result.findings)
        for line in printed(subject, result):
            out.print(line)
    skipped = [name for name in (*FOUNDATIONS, *CHECKS) if name not in finished]
    for name in skipped:
        out.print(f"{'skipped':9}{name}")
    if out_of_bounds:
        out.print(f"{'skipped':9}statistics, which run the rules without bounds checks")
    elif not skipped:
        out.print()
        for name, value in statistics.game_statistics(subject, config.depth):
            out.print(f"{name:16}{value}")
    out.print()
    out.print(verdict(failed, bool(skipped)))
    return 1 if failed else 0


def verdict(failed: int, skipped: bool) -> str:
    """The last line."""
    if not failed:
        return "Nothing failed."
    first = "Fix this first; the skipped checks need it." if skipped else "Fix these before you train."
    return f"{failed} check{'s' if failed > 1 else ''} failed. {first}"


def printed(subject: Subject, result: Result) -> Iterator[str]:
    """The lines that show a result."""
    worst = max((finding.level for finding in result.findings), default=None)
    fine = "ok" if result.applies else "n/a"
    mark = fine if worst in (None, Level.NOTE) else MARKS[worst]
    fewer = result.games is not None and result.games < subject.games and result.applies and not result.failed
    yield f"{mark:9}{result.name}" + (f" ({result.games:,} games, because each takes long)" if fewer else "")
    for finding in result.findings:
        begin = f"{MARKS[finding.level]}: " if finding.level is not worst or worst is Level.NOTE else ""
        for number, paragraph in enumerate(finding.text.split("\n")):
            yield (
                textwrap.fill(
                    paragraph,
                    WIDTH,
                    initial_indent=" " * 9 + (begin if number == 0 else ""),
                    subsequent_indent=" " * 9,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                if number == 0
                else " " * 11 + paragraph
            )
        if finding.moves is not None:
            yield from reproduced(subject, finding.moves)


def reproduced(subject: Subject, moves: tuple[int, ...]) -> Iterator[str]:
    """The moves of a finding and the position that they lead to."""
    shown = ", ".join(map(str, moves))
    names = named(subject, moves)
    if len(names) > MOST_NAMES_SHOWN:
        names = ["...", *names[-LAST_NAMES_SHOWN:]]
    line = f"moves: {shown or 'none, it is the first position'}" + (f" ({' '.join(names)})" if names else "")
    yield textwrap.fill(line, WIDTH, initial_indent=" " * 11, subsequent_indent=" " * 13)
    try:
        yield from (" " * 13 + row for row in str(subject.plain(moves)).splitlines())
    except Exception:  # the rules are broken; the moves alone must do
        return


def named(subject: Subject, moves: tuple[int, ...]) -> list[str]:
    """How people write the moves; empty if the rules are too broken for that."""
    words = []
    try:
        position = subject.plain(())
        for action in moves:
            words.append(position.name(action))
            position = position.after(action)
    except Exception:  # as above
        return []
    return words
