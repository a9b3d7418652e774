"""What happens when a signal ends a process at once."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal
from trainer.core.signals import before_leaving, leave_on_signals
leave_on_signals()
with before_leaving(lambda: print("outer", flush=True)):
    with before_leaving(lambda: print("ended", flush=True)):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
"""


def test_what_has_to_be_done_before_leaving_is_done() -> None:
    """Of the blocks that the process is in; the exit status says that it was interrupted."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("outer\n", "interrupted\n", 130)
