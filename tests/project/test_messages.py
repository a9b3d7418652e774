"""The README's troubleshooting section lists every message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GAP = "…"
ELSEWHERE = {"self.failure", "message", "explain_divergence(point, batch, config)"}
"""What is raised with a text that another function makes: `require`, and the end of training by NaN."""


def template(text: ast.expr) -> str | None:
    """A message with … for what differs; None where it is no literal."""
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return re.sub(r"%[sdg.\d]*[sdfg]", GAP, text.value)
    if isinstance(text, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in text.values)
    return None


def messages() -> Iterator[tuple[str, str]]:
    """Where each message is, and its template: errors, reasons that a row is refused, warnings."""
    for path in sorted((ROOT / "src" / "trainer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else node
            if not isinstance(call, ast.Call) or not call.args:
                continue
            name = ast.unparse(call.func)
            if isinstance(node, ast.Raise) and name not in ("ValueError", "SystemExit", "AssertionError", "TypeError"):
                text = call.args[0]
            elif name in ("refuse", "require"):
                text = call.args[1]
            elif name == "log.warning":
                text = call.args[0]
            else:
                continue
            found = template(text)
            if found is not None:
                yield f"{path.name}:{node.lineno}", found
            elif isinstance(node, ast.Raise) and "web" not in path.parts:
                assert ast.unparse(text) in ELSEWHERE, f"{path}:{node.lineno} raises a text that no test can see"


def listed() -> set[str]:
    """The messages of the section: what is in backticks in the first column."""
    section = (ROOT / "README.md").read_text().partition("## Troubleshooting")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return {message for row in rows for message in re.findall(r"`([^`]+)`", row)}


def first_clause(message: str) -> str:
    """A message up to its advice, which the second column gives; settings are one row."""
    if re.match(r"--[\w…-]+ is ", message) and "available" not in message:
        return "--… is …"
    clauses = message.split(";")
    return clauses[0].strip() if clauses[0].strip(f" {GAP}") else message.strip()


@pytest.mark.parametrize(("where", "message"), list(messages()), ids=lambda value: value[:60])
def test_every_message_is_listed(where: str, message: str) -> None:
    """Up to the advice that follows the first semicolon."""
    if not message.strip(f" ;{GAP}"):
        return  # it repeats another message
    wanted = first_clause(message)
    found = listed()
    assert any(wanted == entry or (entry.startswith(wanted) and ";" in entry) for entry in found), (where, wanted)


def test_the_list_has_what_functions_make() -> None:
    """The texts that are not literals of a raise."""
    assert {
        "the loss or the weights at step … are no numbers",
        "…; keeping the model before it",
        "can't be evaluated … (…)",
        "answers otherwise …, by …",
    } <= listed()
