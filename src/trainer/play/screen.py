"""The part of the terminal that is drawn over itself."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live


class Screen:
    """Draws over what it drew before. After the shell has written to the terminal, it begins anew below."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: RenderableType = ""
        self.resume()

    def resume(self) -> None:
        """Draw what was shown last, where the cursor is now."""
        self._live = Live(self._shown, console=self._console, auto_refresh=False)
        self._live.start(refresh=bool(self._shown))

    def suspend(self) -> None:
        """Leave what is shown as it is, with the cursor below."""
        self._live.stop()

    def show(self, what: RenderableType) -> None:
        """Draw something else."""
        self._shown = what
        self._live.update(what, refresh=True)

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.suspend()
