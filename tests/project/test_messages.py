"""docs/messages.md lists every message, and only messages that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from trainer.core.packages import requirement_of

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "messages.md"
GAP = "…"
"""Stands for what differs from case to case."""
TEXT_ARGUMENT = {
    "refuse": 1,
    "require": 1,
    "log.warning": 0,
    "self._trouble.begin": 0,
    "trouble.begin": 0,
    "require_package": 2,
    "import_package": 2,
}
"""Functions that are given a message, and which of their arguments it is."""
ENDING = {"require_package": ", which is not installed", "import_package": ", which is not installed"}
"""What such a function adds to it."""
INDIRECT = {"self.failure", "message", "NO_RUN", "explain_divergence(point, batch, config, output.has_published)"}
"""Expressions that are raised as a message and that another function makes; MADE has the texts."""
MADE = {
    "the loss or the weights at step … are not finite",
    "the … failed (…)",
    "the … was killed, as the system does when memory runs out",
    "the … didn't end within … s of being asked to, and was killed",
    "…; keeping the model before it",
    "…; going back to the model before it",
    "…; going on without one",
    "…; going on with the … rows that were read",
    "the replay database … is gone",
    "…, line …: …: …",
    "--network-file …, line …: …: …",
    "can't be evaluated … (…)",
    "gives other answers …, by …",
    "not enough memory (…)",
    "there is no command …",
    "the head of the Ray cluster, …, is gone",
    "The game is over",
    "It is not your turn.",
    "The move … is not legal here.",
    "The move needs a whole number as its position.",
    'The field "first" must be "player" or "bot".',
    "This server answers only to host names that it knows",
    "This browser has no game in progress",
    "Another game has replaced this one, perhaps in another tab",
    "This game has gone on meanwhile, perhaps in another tab",
    "compiling for this processor; later runs use what is compiled now",
    "waiting for another process that compiles or loads the same",
    "…, line …: … can't be compiled (…)",
    "…, line …: … must return … on every path",
    "…, line …: … has … bytes",
    "interrupted",
    "interrupted twice: leaving at once",
}
"""Messages that are printed, or made by a function, so that the source doesn't show them at a raise or a warning."""


@cache
def sources() -> tuple[tuple[Path, ast.Module], ...]:
    """Every source file of the package, parsed."""
    return tuple((path, ast.parse(path.read_text())) for path in sorted((ROOT / "src" / "trainer").rglob("*.py")))


@cache
def errors() -> set[str]:
    """The exceptions whose text is for users: TrainerError, what derives from it, and those of the page."""
    found = {"TrainerError"}
    classes = [(path, node) for path, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in classes:  # often enough for any order of definition
        for path, one in classes:
            bases = {ast.unparse(base) for base in one.bases}
            if bases & found or ({"web", "play"} & set(path.parts) and "Exception" in bases):
                found.add(one.name)
    return found


def template(text: ast.expr) -> str | None:
    """A message with … for what differs; None if it isn't a literal."""
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return re.sub(r"%[sdg.\d]*[sdfg]", GAP, text.value)
    if isinstance(text, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in text.values)
    return None


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """Where each message is, and its template: errors, reasons for which a row is refused, warnings."""
    return tuple(found_messages())


def found_messages() -> Iterator[tuple[str, str]]:
    """As `messages`."""
    raised = errors()
    for path, tree in sources():
        for node in ast.walk(tree):
            call = node.exc if isinstance(node, ast.Raise) else node
            if not isinstance(call, ast.Call) or not call.args:
                continue
            name = ast.unparse(call.func)
            if isinstance(node, ast.Raise) and name in raised:
                text = call.args[0]
            elif name in TEXT_ARGUMENT:
                text = call.args[TEXT_ARGUMENT[name]]
            else:
                continue
            found = template(text)
            if found is not None:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", found + ENDING.get(name, "")
            elif isinstance(node, ast.Raise):
                assert ast.unparse(text) in INDIRECT, f"{path}:{node.lineno} raises a text that no test can see"


@cache
def listed() -> set[str]:
    """The messages on the page: what is in backticks in the first column of its tables."""
    rows = [line.split(" | ")[0] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {message for row in rows for message in re.findall(r"`([^`]+)`", row)}


def first_clause(message: str) -> str:
    """A message up to its advice, which the second column gives; all bad values of flags share one row."""
    if re.match(r"--[\w…-]+ is ", message) and "available" not in message:
        return "--… is …"
    clauses = message.split(";")
    return clauses[0].strip() if clauses[0].strip(f" {GAP}") else message.strip()


def belongs(entry: str, message: str) -> bool:
    """Whether an entry of the page is about a message: it is its first clause, or says more of it."""
    clause = first_clause(message)
    return entry in (clause, message.partition(";")[0]) or (entry.startswith(clause) and ";" in entry)


@pytest.mark.parametrize(("where", "message"), messages(), ids=lambda value: value.partition(".py:")[0][:60])
def test_every_message_is_listed(where: str, message: str) -> None:
    """Up to the advice, which follows the first semicolon."""
    if message.strip(f" ;{GAP}"):  # otherwise it only repeats another message
        assert any(belongs(entry, message) for entry in listed()), (where, first_clause(message))


def test_every_listed_message_exists() -> None:
    """A row for a message that was reworded or removed is stale."""
    known = [message for _, message in messages() if message.strip(f" ;{GAP}")]
    assert {entry for entry in listed() - MADE if not any(belongs(entry, message) for message in known)} == set()


def test_messages_that_functions_make_are_listed_and_exist() -> None:
    """Those that the source doesn't show at a raise or a warning: their words are somewhere in its strings."""
    assert listed() >= MADE
    texts = [node.value for _, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    strings = "\n".join(
        text if isinstance(text, str) else text.decode() for text in texts if isinstance(text, str | bytes)
    )
    assert [entry for entry in MADE if any(part.strip(" ;") not in strings for part in entry.split(GAP))] == []


def test_messages_ask_for_the_versions_that_the_extras_ask_for() -> None:
    """`pip install 'ray>=2.52'` in a message is what pyproject.toml says."""
    asked = set(re.findall(r"[a-z_]+>=[\d.]+", (ROOT / "pyproject.toml").read_text()))
    calls = [node for _, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call.args[1] for call in calls if ast.unparse(call.func) in ("require_package", "import_package")]
    packages = {name.value for name in named if isinstance(name, ast.Constant)}
    assert len(packages) >= 4
    assert {requirement_of(package) for package in packages} <= asked
