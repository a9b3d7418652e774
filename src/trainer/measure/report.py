"""Reports: what the evaluator prints about matches and wrong moves."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainer.games import rules_of
from trainer.games.base import DRAW, FIRST, SECOND, opponent_of
from trainer.games.position import Position
from trainer.measure.elo import elo_difference
from trainer.measure.intervals import wilson
from trainer.measure.match import Match
from trainer.measure.move_quality import ErrorCounts, MoveQuality
from trainer.measure.openings import in_words, seats_in_words

RULER = "=" * 50
TABLE_WIDTH = 120
"""Columns of a table that goes to a file or a pipe; a terminal has its own width."""
TOTAL = "total"


def report(match: Match) -> str:
    """The block on a match against random play, which other programs read: results and a verdict, without intervals."""
    return "\n".join([*_results(match, intervals=False), "", verdict(match.win_rate)])


def report_with_intervals(match: Match) -> str:
    """The block on a match against any other opponent: with 95% intervals, the score, and the number of different games."""
    low, high = match.score_interval
    elo, least, most = (f"{elo_difference(score):+.0f}" for score in (match.score, low, high))
    score = (
        f"Score: {100 * match.score:.1f}% (95% interval {100 * low:.1f} to {100 * high:.1f}%; a draw is half a point), "
        f"an Elo difference of {elo} ({least} to {most})"
    )
    return "\n".join([*_results(match, intervals=True), "", score, different_games(match)])


def _results(match: Match, intervals: bool) -> list[str]:
    def share(count: int) -> str:
        low, high = wilson(count, match.games)
        interval = f", 95% interval {100 * low:.1f} to {100 * high:.1f}%" if intervals else ""
        return f"{count} ({100 * count / match.games:.1f}%{interval})"

    first, second = match.game.player_names
    lines = [
        RULER,
        f"Evaluation Results: {match.player} vs {match.opponent}",
        RULER,
        f"Games played: {match.games}",
        "",
    ]
    for name, count in ((match.player, match.wins), (match.opponent, match.losses)):
        lines += [
            f"{name}:",
            f"  Wins: {share(count(FIRST) + count(SECOND))}",
            f"    As {first} (first): {count(FIRST)}",
            f"    As {second} (second): {count(SECOND)}",
            "",
        ]
    return [
        *lines,
        f"Draws: {share(match.draws)}",
        f"Average game length: {match.average_length:.1f} moves",
        RULER,
    ]


def verdict(win_rate: float) -> str:
    """What a win rate against random play means."""
    if win_rate > 0.7:
        return "✓ Model is significantly better than random play!"
    if win_rate > 0.5:
        return "✓ Model is slightly better than random play"
    if win_rate > 0.3:
        return "~ Model is roughly equivalent to random play"
    return "✗ Model is worse than random play"


def different_games(match: Match) -> str:
    """What made the games differ, and how many of them did."""
    different = f"{match.different_games} of the {match.games} games are different"
    if not match.openings:
        return f"All games started from the first position; {different}."
    begun = f"{in_words(match.openings, 'different ')} (seed {match.seed})"
    return f"{begun}{seats_in_words(match.games)}; {different}."


def every_move(match: Match) -> str:
    """Every move of every game, one per line."""
    lines = []
    for number, (seat, winner, moves) in enumerate(zip(match.seats, match.winners, match.moves, strict=True)):
        lines.append(f"Game {number + 1}: {match.player} plays {match.game.name_of(seat)}")
        position = Position.first(rules_of(match.game.env_id))
        opening = len(match.opening(number))
        for ply, action in enumerate(moves, start=1):
            mover = position.mover
            who = "opening" if ply <= opening else match.player if mover == seat else match.opponent
            lines.append(f"  {ply:3d}. {match.game.name_of(mover)} ({who}): {position.name(int(action))}")
            position = position.play(int(action))
        if number in match.resigned:
            lines.append(f"  {match.game.name_of(opponent_of(winner))} resigns")
        lines.append("  draw" if winner == DRAW else f"  {match.game.name_of(winner)} wins")
    return "\n".join(lines)


def error_table(title: str, results: list[MoveQuality]) -> Table:
    """Weak and strong errors in percent with their 95% intervals: one row per player in each kind of position."""
    table = Table(title=Text(title), title_justify="left")  # a name may look like markup
    table.add_column("positions")
    table.add_column("player")
    for name in ("weak error", "95% interval", "strong error", "95% interval"):
        table.add_column(name, justify="right")
    kinds = list(results[0].kinds)
    for kind in kinds if len(kinds) == 1 else [*kinds, TOTAL]:
        for number, quality in enumerate(results):
            errors = quality.total if kind == TOTAL else quality.kinds[kind]
            positions = "" if number else f"{kind} ({errors.positions:,})"
            weak, strong = _rate(errors.weak, errors), _rate(errors.strong, errors)
            table.add_row(positions, Text(quality.player), *weak, *strong)
        table.add_section()
    return table


def _rate(count: int, errors: ErrorCounts) -> tuple[str, str]:
    low, high = wilson(count, errors.positions)
    return f"{100 * count / errors.positions:.2f}%", f"{100 * low:.2f} to {100 * high:.2f}"


def print_table(table: Table) -> None:
    """Print a table on standard output."""
    terminal = Console().is_terminal
    Console(width=None if terminal else TABLE_WIDTH).print(table)
