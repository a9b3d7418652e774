"""Ctrl-C at random moments of a command's first seconds: `python -m torture.interrupts FOLDER [MOMENTS]`.

Once or twice; each command says one line about it, without a traceback, and leaves everything whole. The first moment of
each command is in the middle of its imports.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from programs import ending, processes_of
from waiting import PATIENCE, wait_until

from torture import promises

COMMANDS = {
    "trainer": "trainer --db {0}/replay.db --model-dir {0}/models --stats {0}/stats.json --steps 1000000",
    "trainer.actor": "trainer.actor --replay-db-path {0}/replay.db --data-dir {0} --simulations 50",
    "trainer.loop": "trainer.loop --data-dir {0} --threads 1 --steps 1000000",
    "trainer.web": "trainer.web --data-dir {0} --port 0",
    "trainer.evaluator": "trainer.evaluator --model {0}/models/latest.onnx --db {0}/replay.db --games 1000000",
    "trainer.ladder": "trainer.ladder --model-dir {0}/models --games 100000 --simulations 50",
}
STATUSES = {"trainer.actor": (0, 130), "trainer.web": (0, 130)}
"""Actors and the page have nothing left to do when they are stopped: that is success."""
LONGEST = 4.0


def interrupt(name: str, folder: Path, moment: int) -> None:
    """Start a command, interrupt it, look at what it says and leaves."""
    generator = random.Random(f"{name}-{moment}")
    words = COMMANDS[name].format(folder).split()
    log = folder / "interrupted.log"
    with open(log, "wb") as output:
        process = subprocess.Popen([sys.executable, "-X", "importtime", "-m", *words], stdout=output, stderr=output)
    with ending(process):
        wait_until(lambda: b"numpy" in log.read_bytes(), "it doesn't import", process)
        time.sleep(generator.uniform(0, LONGEST) if moment else 0)
        assert process.poll() is None, log.read_text()[-2000:]
        process.send_signal(signal.SIGINT)
        if moment % 2:
            time.sleep(generator.uniform(0, 0.3))
            process.send_signal(signal.SIGINT)
        status = process.wait(PATIENCE)
    if status == -signal.SIGINT:
        # A shell makes 130 of it. Python ends itself so if a library ran Python code when the signal came, or if a second
        # one came when Python was at its end.
        status = 130
    said = "\n".join(line for line in log.read_text().splitlines() if not line.startswith("import time:"))
    assert status in STATUSES.get(name, (130,)), (name, moment, status, said)
    assert "Traceback" not in said, (name, moment, said)
    assert moment or (status, said) == (130, "interrupted"), (name, status, said)
    wait_until(lambda: not processes_of(folder), "the processes of the loop stay")
    promises.check(folder, "tictactoe")


def main() -> None:
    """Each command in a copy of a finished run; prints how often they were interrupted."""
    folder, moments = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 6
    (folder / "base").mkdir(parents=True)
    if moments > 1:  # what is interrupted in its imports needs no run
        words = f"trainer.loop --data-dir {folder}/base --threads 1 --simulations 10 --steps 60"
        subprocess.run([sys.executable, "-m", *words.split()], check=True, capture_output=True)
        (folder / "base" / "actor_stats.json").unlink()  # counts of games that another start would not have
    for name in COMMANDS:
        for moment in range(moments):
            copy = folder / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(folder / "base", copy)
            interrupt(name, copy, moment)
    print(f"{len(COMMANDS)} commands interrupted {moments} times each: no traceback, nothing torn")


if __name__ == "__main__":
    main()
