"""What happens when a signal ends a process at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from programs import ending, is_running
from waiting import PATIENCE, dead_process, wait_until

from trainer.core.signals import means_to_leave

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
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == ("outer\n", "interrupted\n", 130)


@pytest.mark.parametrize(
    ("number", "seconds", "leaves"),
    [
        (signal.SIGINT, 0.09, False),  # timeout(1) repeats a Ctrl-C at once
        (signal.SIGINT, 0.1, True),
        (signal.SIGTERM, 0.9, False),  # systemd sends one to every process, and a loop then sends another to its own
        (signal.SIGTERM, 1.0, True),
    ],
)
def test_a_second_signal_is_the_same_request_if_it_comes_at_once(
    number: int, seconds: float, leaves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated SIGTERM takes longer than a repeated Ctrl-C."""
    monkeypatch.delenv("CARTRIDGE_PARENT", raising=False)
    assert means_to_leave(number, seconds) == leaves


TWICE = """
import signal, time
from trainer.core import signals
signals.SAME_REQUEST_SECONDS = dict.fromkeys((signal.SIGINT, signal.SIGTERM), SOON)
stop = signals.stop_on_signals()
signal.raise_signal(signal.FIRST)
signal.raise_signal(signal.NEXT)
time.sleep(AFTER)
if stop.is_set():
    print("saved")
"""


@pytest.mark.parametrize(
    ("signals", "same", "loop", "leaves"),
    [
        (("SIGTERM", "SIGTERM"), True, "none", False),
        (("SIGINT", "SIGTERM"), True, "none", False),
        (("SIGINT", "SIGINT"), True, "none", False),
        (("SIGINT", "SIGINT"), False, "none", True),
        (("SIGTERM", "SIGTERM"), False, "none", True),
        (("SIGTERM", "SIGTERM"), False, "alive", False),  # it waits, and kills what doesn't end
        (("SIGTERM", "SIGTERM"), False, "gone", True),
    ],
)
def test_a_second_signal_leaves_at_once_unless_it_is_the_same_request(
    signals: tuple[str, str], same: bool, loop: str, leaves: bool
) -> None:
    """A program that should leave would sleep for ever; one that shouldn't has a moment left to save.

    The second signal follows the first at once. It is the same request if an hour counts as one, and not if no time does.
    """
    program = TWICE.replace("FIRST", signals[0]).replace("NEXT", signals[1]).replace("SOON", str(3600 if same else 0))
    program = program.replace("AFTER", str(10 * PATIENCE if leaves else 0.3))
    own = {} if loop == "none" else {"CARTRIDGE_PARENT": str(os.getpid() if loop == "alive" else dead_process())}
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | own, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.returncode) == (("", 130) if leaves else ("saved\n", 0))


WITHOUT_SHELL = """
import os, signal
from trainer.core.signals import suspendable
os.setsid()
calls = []
with suspendable(lambda: calls.append("before"), lambda: calls.append("after")):
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTSTP)
print(*calls)
"""


def test_ctrl_z_without_a_shell_is_ignored() -> None:
    """As in `docker exec -it`: nobody could continue the process. It would hang here."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_SHELL], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.returncode) == ("before after before after\n", 0)


WAITS = """
from trainer.core.signals import stop_on_signals
stop = stop_on_signals()
print(flush=True)
stop.wait()
"""
SUSPENDED = f"""
import os, signal, subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-c", {WAITS!r}],
    env=os.environ | {{"CARTRIDGE_PARENT": str(os.getpid())}}, stdout=subprocess.PIPE, start_new_session=True,
)
child.stdout.readline()
child.send_signal(signal.SIGSTOP)
print(child.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no prctl")
def test_a_suspended_process_ends_if_its_loop_is_killed() -> None:
    """After Ctrl-Z and `kill -9`: it would keep its locks for ever."""
    loop = subprocess.Popen([sys.executable, "-c", SUSPENDED], stdout=subprocess.PIPE, text=True)
    with loop, ending(loop):
        assert loop.stdout
        child = int(loop.stdout.readline())
        loop.kill()
        loop.wait(PATIENCE)
        try:
            wait_until(lambda: not is_running(child), "it stays")
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise


CALLBACKS = """
import ctypes, os, signal, weakref
from trainer.core.signals import heed_signals, leave_on_signals
leave_on_signals()
heed_signals()
class Thing:
    pass
def interrupt(*_):
    os.kill(os.getpid(), signal.NAME)
def fail(*_):
    raise ValueError("no signal")
ctypes.CFUNCTYPE(None)(fail)()
def by_ctypes():
    ctypes.CFUNCTYPE(None)(interrupt)()
def by_weakref():
    thing = Thing()
    reference = weakref.ref(thing, interrupt)
    del thing
by_CALLER()
print("it went on")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("caller", ["ctypes", "weakref"])
def test_a_signal_within_a_callback_is_not_lost(name: str, caller: str) -> None:
    """Python ignores what such a callback raises, and only prints it. That is still so for other exceptions."""
    program = CALLBACKS.replace("NAME", name).replace("CALLER", caller)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.returncode) == ("", 130)
    assert done.stderr.endswith("ValueError: no signal\ninterrupted\n")


ASKED = """
import os, signal
from trainer.core.signals import stop_on_signals
signal.signal(signal.SIGHUP, getattr(signal, "HOW"))
stop = stop_on_signals()
os.kill(os.getpid(), signal.SIGHUP)
print(stop.wait(SECONDS))
"""


@pytest.mark.parametrize(("how", "seconds", "stops"), [("SIG_DFL", PATIENCE, "True"), ("SIG_IGN", 0.2, "False")])
def test_a_closed_terminal_stops_in_an_orderly_way(how: str, seconds: float, stops: str) -> None:
    """Unless the process ignores it, as under nohup."""
    program = ASKED.replace("HOW", how).replace("SECONDS", str(seconds))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == f"{stops}\n", done.stderr


PREPARED = """
import os, signal, time
from trainer.core.signals import nothing_to_finish, stop_on_signals
signal.signal(signal.SIGHUP, signal.SIG_DFL)
stop = stop_on_signals()
with nothing_to_finish():
    if AT_ONCE:
        os.kill(os.getpid(), signal.NAME)
        time.sleep(SECONDS)
os.kill(os.getpid(), signal.NAME)
print(stop.wait(SECONDS))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    ("at_once", "expected"), [(True, ("", "interrupted\n", 130)), (False, ("True\n", "", 0))], ids=["within", "after"]
)
def test_one_signal_is_enough_while_there_is_nothing_to_finish(
    at_once: bool, expected: tuple[str, str, int], name: str
) -> None:
    """And not any more once there is. A closed terminal is as good as a request: else a new run would begin, and set the
    earlier one aside."""
    program = PREPARED.replace("AT_ONCE", str(at_once)).replace("SECONDS", str(PATIENCE)).replace("NAME", name)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == expected


ORPHANED = """
import os
from trainer.core.signals import PARENT_VARIABLE, stop_on_signals
os.environ[PARENT_VARIABLE] = str(os.getpid())
heard, says = os.pipe()
if os.fork():
    os.close(says)
    os.read(heard, 1)
else:
    stop = stop_on_signals()
    print(stop.wait(0.2), flush=True)
    os.write(says, b"+")
    print(stop.wait(SECONDS), flush=True)
"""


def test_a_process_stops_once_the_loop_that_started_it_is_gone() -> None:
    """And not before. The loop says which process it is in CARTRIDGE_PARENT."""
    program = ORPHANED.replace("SECONDS", str(PATIENCE))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("False\nTrue\n", "")
