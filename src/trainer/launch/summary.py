"""A run so far, in a few lines: what the loop shows while it learns, and prints at the end."""

from __future__ import annotations

import time
from typing import Any

from trainer.run.cluster_players import PlayerRow, players_in


def summary(
    since: str, stats: dict[str, Any], actors: dict[str, Any], evaluation: dict[str, Any] | None
) -> list[tuple[str, str]]:
    """Names and values of what is known: how long it has run (`since`), stats.json, actor_stats.json, the last evaluation.

    Each of the files may be empty, and there may be no evaluation yet.
    """
    lines = [("time", since)]
    if actors:
        games, positions = (f"{actors[name]:,}" for name in ("episodes_completed", "total_steps"))
        lines.append(("self-play", f"{games} games, {positions} positions"))
        speeds = actors["episodes_per_second"], actors["positions_per_second"]
        lines.append(("speed", "{:.0f} games/s, {:,.0f} positions/s".format(*speeds)))
        now = time.time()
        lines += [(player.name, player_in_words(player, now)) for player in players_in(actors, now)]
    if stats:
        losses = (stats[f"{name}_loss"] for name in ("total", "policy", "value"))
        lines.append(("training", f"step {stats['step']:,}, {stats['replay_buffer_size']:,} rows"))
        lines.append(("loss", "{:.3f} (policy {:.3f}, value {:.3f})".format(*losses)))
    else:
        lines.append(("training", "starting (a new game is compiled first, for up to a minute)"))
    if evaluation:
        rates = ", ".join(f"{evaluation[f'{kind}_rate']:.1%} {kind}" for kind in ("win", "draw", "loss"))
        lines.append(("vs random", f"{rates} (step {evaluation['step']})"))
        lines.append(("Elo", f"{evaluation['elo']:+.0f} against earlier models of the run, without search"))
    return lines


def player_in_words(player: PlayerRow, now: float) -> str:
    """What a player of a cluster does, without its name, at `now` (Unix seconds)."""
    model = "no model" if player.model_step is None else f"model step {player.model_step}"
    return (
        f"{player.host}, {player.episodes_per_second:.1f} games/s, {player.positions_per_second:,.0f} positions/s, {model}, "
        f"heard {now - player.timestamp:.0f} s ago, waits {player.back_pressure:.0%}"
    )
