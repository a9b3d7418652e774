"""What the loop has started never outlives it, whatever fails afterwards."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from trainer.launch import local
from trainer.run.folder import RunFolder
from trainer.settings.loop import LoopConfig


class Recorded:
    """In place of a process: notes in `events` that it is started and stopped. The one called `failing` can't start."""

    events: list[str]
    failing: str

    def __init__(self, name: str, *_: object) -> None:
        if name == self.failing:
            raise OSError(f"can't open {name}.log")
        self.name = name
        self.events.append(f"start {name}")

    def stop(self) -> None:
        self.events.append(f"stop {self.name}")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What becomes of the processes of a loop."""
    events: list[str] = []
    monkeypatch.setattr(Recorded, "events", events, raising=False)
    monkeypatch.setattr(local, "Child", Recorded)
    return events


def run(folder: Path) -> None:
    """A loop with a page."""
    local.run_processes(LoopConfig(data_dir=folder, web=True), RunFolder(folder), Event())


@pytest.mark.parametrize("failing", ["trainer", "actor", "web"])
def test_what_has_started_is_stopped_if_the_next_one_can_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[str], failing: str
) -> None:
    """Whichever it is."""
    monkeypatch.setattr(Recorded, "failing", failing, raising=False)
    with pytest.raises(OSError, match=rf"can't open {failing}\.log"):
        run(tmp_path)
    expected = {
        "web": [],
        "actor": ["start web", "stop web"],
        "trainer": ["start web", "start actor", "stop actor", "stop web"],
    }
    assert events == expected[failing]


def test_the_trainer_is_stopped_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[str]) -> None:
    """Also if the display fails before it shows anything."""

    def fail(*_: object) -> None:
        raise RuntimeError("no display")

    monkeypatch.setattr(Recorded, "failing", "", raising=False)
    monkeypatch.setattr(local, "Watch", fail)
    with pytest.raises(RuntimeError, match="no display"):
        run(tmp_path)
    assert events[3:] == ["stop trainer", "stop actor", "stop web"]
