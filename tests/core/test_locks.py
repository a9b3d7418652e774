"""Locks between processes. Two threads that open the file each have it like two processes."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

from waiting import PATIENCE

from trainer.core.locks import locked


def test_who_has_to_wait_can_say_so(tmp_path: Path) -> None:
    """Before it waits, and only if another one has the lock."""
    waits, has_it = Event(), Event()

    def second() -> None:
        with locked(tmp_path / "name", when_taken=waits.set):
            has_it.set()

    thread = Thread(target=second)
    with locked(tmp_path / "name", when_taken=lambda: 1 / 0):  # nobody has it
        thread.start()
        assert waits.wait(PATIENCE)
        assert not has_it.is_set()
    thread.join(PATIENCE)
    assert has_it.is_set()
