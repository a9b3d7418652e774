"""Engines for tests, as programs of their own: `python fake.py BEHAVIOUR [FILE]`.

FILE gets the process id, then each line that the engine reads.

The GTP engines play tic-tac-toe: always the first empty cell, in the order in which our rules number them.
"""

from __future__ import annotations

import os
import sys
import time

CELLS = [f"{column}{row}" for row in (3, 2, 1) for column in "ABC"]


def gtp(behaviour: str, line: str, taken: list[str]) -> str | None:
    """The answer to a line of GTP; None: none."""
    command, *arguments = line.split()
    if command == "genmove":
        if behaviour == "dies":
            print("out of ideas", file=sys.stderr, flush=True)
            sys.exit(3)
        if behaviour == "stubborn":
            time.sleep(1000)
        answers = {"babbles": "A1", "resigns": "= resign", "cheats": "= B2", "misses": "= D4"}
        return answers.get(behaviour, f"= {next(cell for cell in CELLS if cell not in taken)}")
    if command == "play":
        if behaviour == "refuses moves":
            return "? illegal move"
        taken.append(arguments[1])
    if command == "clear_board":
        taken.clear()
    if command == "boardsize" and (behaviour == "refuses" or arguments != ["3"]):
        return "? unacceptable size"
    return {"name": "= Fake", "version": "= 1\n"}.get(command, "=")


def uci(behaviour: str, line: str) -> str | None:
    """The answer to a line of UCI; None: none."""
    variant = "chess" if behaviour == "uci chess" else "gardner"
    if line.startswith("go"):
        move = behaviour.removeprefix("uci ")
        return f"info depth 1 pv a1a2\nbestmove {move} ponder a4a3"
    options = (
        f"UCI_Variant type combo default x var x var {variant}",
        "Skill Level type spin default 20 min -20 max 20",
        "Ponder type check default false",
        "Style type combo default Solid var Solid var Very risky",
        "Book File type string default <empty>",
        "Clear Hash type button",
    )
    return {
        "uci": "\n".join(["id name Fake", *(f"option name {option}" for option in options), "uciok"]),
        "isready": "readyok",
    }.get(line)


def note(line: str) -> None:
    """Add a line to the file, if there is one."""
    for name in sys.argv[2:]:
        with open(name, "a") as file:
            print(line, file=file)


def main() -> None:
    """Answer until `quit`, or the end of the input."""
    behaviour = sys.argv[1]
    note(str(os.getpid()))
    while behaviour == "mute":
        time.sleep(1000)
    taken: list[str] = []
    while line := sys.stdin.readline().strip():
        note(line)
        if line == "quit":
            break
        answer = uci(behaviour, line) if behaviour.startswith("uci") else gtp(behaviour, line, taken)
        if answer is not None:
            print(answer, flush=True)
            if not behaviour.startswith("uci"):
                print(flush=True)
    while behaviour == "stubborn":
        time.sleep(1000)


if __name__ == "__main__":
    main()
