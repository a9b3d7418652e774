"""`python -m bench.profiles`: measure and draw all pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import tyro

from bench.profiles.bar_chart import bar_chart
from bench.profiles.selfplay import selfplay_profile
from bench.profiles.training import training_profile
from bench.support.job import Job
from bench.support.models import layer_sizes
from bench.support.size import FULL, TINY
from bench.support.training_steps import BATCHES
from trainer.games import game_of
from trainer.games.library import OF_CONTRACT


def main(out: Path | None = None, work: Path = Path("build/bench"), tiny: bool = False) -> None:
    """Measure where the time of self-play and training goes, and draw it. `out`: folder of the pictures (None: docs; with
    `tiny` the folder tiny in `work`); `work`: folder of the databases; `tiny`: run everything within seconds to see that it
    works."""
    out = out or (work / "tiny" if tiny else Path("docs"))
    out.mkdir(parents=True, exist_ok=True)
    job = Job(TINY if tiny else FULL, work)
    with job.scratch() as folder:
        for env_id in OF_CONTRACT:
            found = selfplay_profile(env_id, job.size, folder / env_id)
            title = f"A simulation of self-play, {game_of(env_id).display_name}: {sum(found.values()):,.0f} ns"
            (out / f"profile-selfplay-{env_id}.svg").write_text(bar_chart(title, "ns", found))
    for env_id, batch in BATCHES.items():
        found = training_profile(env_id, job)
        title = f"A training step, {layer_sizes(env_id)}, batch {batch}: {sum(found.values()):,.0f} µs"
        (out / f"profile-training-{env_id}.svg").write_text(bar_chart(title, "µs", found))


if __name__ == "__main__":
    sys.exit(tyro.cli(main, prog="python -m bench.profiles"))
