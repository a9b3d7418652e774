"""An optional copy of losses and evaluations for TensorBoard, and of what the players of a cluster do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.core.json_values import is_number
from trainer.core.packages import require_tensorboard
from trainer.run.cluster_players import PlayerRow
from trainer.run.evaluations import EvaluationLog
from trainer.run.folder import folder_for_old
from trainer.run.training_statistics import TrainingPoint

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

log = logging.getLogger(__name__)


class EventFiles:
    """TensorBoard's event files in a folder, with one scalar per number of a training point."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written yet. Raises ConfigError if the package `tensorboard` is not installed."""
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        self._writer_of: Callable[..., SummaryWriter] = SummaryWriter
        self._writer: SummaryWriter | None = None
        self._evaluations = 0
        """Evaluations that were looked at."""
        self._written_until = 0
        """When the files of the run that is resumed were written last, Unix seconds: earlier evaluations are in them."""

    def begin(self, done: int) -> None:
        """Begin after the step `done`; if that fails, log a warning and let training go on.

        0: a new run, so files of an earlier one move to a folder `old-<UTC time>`, which TensorBoard shows as another run.
        Otherwise a run is resumed, and TensorBoard drops what the run before it wrote of later steps.
        """
        try:
            if done:
                written = [path.stat().st_mtime for path in self._folder.glob("events.out.tfevents.*")]
                self._written_until = int(max(written, default=0))
                self._writer = self._writer_of(str(self._folder), purge_step=done + 1)
                return
            if earlier := sorted(self._folder.glob("events.out.tfevents.*")):
                old = folder_for_old(self._folder)
                for path in earlier:
                    path.rename(old / path.name)
                log.info("set the earlier run's files for TensorBoard aside in %s", old)
            self._writer = self._writer_of(str(self._folder))
        except OSError as error:
            self._give_up(error)

    def add(
        self,
        point: TrainingPoint,
        evaluations: EvaluationLog | None = None,
        players: Sequence[PlayerRow] = (),
    ) -> None:
        """Write one point to disk.

        Beside it, of all `evaluations` of the run so far, those that are new, as `against_<opponent>/<what>` and
        `wrong_moves/<what>_at_<simulations>`; and the numbers of each player of a cluster as `<machine>/<player>/<what>`. If
        that fails, log a warning, write no further points, and let training go on.
        """
        if self._writer is None:
            return
        now = time.time()
        try:
            for name, value in point._asdict().items():
                if name != "step" and value is not None:
                    self._writer.add_scalar(name, value, point.step)
            found = evaluations.read() if evaluations else []
            for evaluation in found[self._evaluations :]:
                self._add_evaluation(evaluation)
            self._evaluations = len(found)
            for player in players:
                begin = f"{player.host}/{player.name.rpartition('-')[0]}"  # the same when it starts again
                self._writer.add_scalar(f"{begin}/games_per_second", player.episodes_per_second, point.step)
                self._writer.add_scalar(f"{begin}/positions_per_second", player.positions_per_second, point.step)
                self._writer.add_scalar(f"{begin}/back_pressure", player.back_pressure, point.step)
                self._writer.add_scalar(f"{begin}/age_seconds", now - player.timestamp, point.step)
                if player.model_step is not None:
                    self._writer.add_scalar(f"{begin}/model_step", player.model_step, point.step)
            self._writer.flush()
        except OSError as error:
            self._give_up(error)

    def _add_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Write an evaluation at its model's step, unless an earlier process did, or it lacks what the loop writes."""
        step, written = evaluation.get("step"), evaluation.get("timestamp")
        if self._writer is None or not isinstance(step, int) or not isinstance(written, (int, float)):
            return
        if written < self._written_until:
            return
        rates = ("win_rate", "draw_rate", "loss_rate")
        numbers = {f"against_{evaluation.get('opponent')}/{name}": evaluation.get(name) for name in rates}
        numbers["against_earlier_models/elo"] = evaluation.get("elo")
        qualities = evaluation.get("move_quality")
        for quality in qualities if isinstance(qualities, list) else []:
            if isinstance(quality, dict):
                for name in ("weak_error", "strong_error"):
                    numbers[f"wrong_moves/{name}_at_{quality.get('simulations')}"] = quality.get(name)
        for name, value in numbers.items():
            if is_number(value):
                self._writer.add_scalar(name.replace(" ", "_"), value, step)

    def close(self) -> None:
        """End the writer's thread, and close its file."""
        if self._writer is not None:
            self._writer.close()

    def _give_up(self, error: OSError) -> None:
        log.warning("can't write the losses for TensorBoard (%s); training goes on without them", error.strerror)
        self._writer = None
