"""Write the tables of flags in README.md and docs/web.md from the dataclasses that the flags are made from.

python tools/flag_tables.py           rewrite them
python tools/flag_tables.py --check   exit 1 where they are stale
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from trainer.actor.actor import ActorConfig
from trainer.evaluator import EvaluatorConfig
from trainer.ladder import LadderConfig
from trainer.loop import LoopConfig
from trainer.trainer_config import TrainerConfig
from trainer.web.server import WebConfig

ROOT = Path(__file__).parent.parent
PAGES = {
    ROOT / "README.md": ("trainer", "actor", "loop", "evaluator", "ladder"),
    ROOT / "docs" / "web.md": ("web",),
}
CONFIGS: dict[str, Any] = {
    "trainer": TrainerConfig,
    "actor": ActorConfig,
    "loop": LoopConfig,
    "evaluator": EvaluatorConfig,
    "ladder": LadderConfig,
    "web": WebConfig,
}
FIELD = re.compile(r'^    (\w+): [^\n]*\n    """(.*?)"""', re.MULTILINE | re.DOTALL)


def table(config: Any) -> str:
    """A row for each flag: name, default, what it does."""
    help_texts = dict(FIELD.findall(inspect.getsource(config)))
    rows = ["| flag | default | |", "|---|---|---|"]
    for field in fields(config):
        name, default = field.name.replace("_", "-"), field.default
        if isinstance(default, bool):
            name, default = (f"no-{name}", "") if default else (name, "off")
        if isinstance(default, tuple):
            default = " ".join(map(str, default))
        shown = "cores" if field.name == "threads" and config is LoopConfig else default
        shown = "" if shown is None or shown == "" else f"`{shown}`"
        text = " ".join(help_texts[field.name].split()).replace("|", "\\|")
        if name.startswith("no-"):
            text = f"Don't: {text[0].lower()}{text[1:]}"
        rows.append(f"| `--{name}` | {shown} | {text} |")
    return "\n".join(rows)


def rewritten(text: str, names: tuple[str, ...]) -> str:
    """A page with fresh tables."""
    for name in names:
        pattern = re.compile(f"(<!-- flags {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        assert pattern.search(text), f"there is no place for the flags of {name}"
        text = pattern.sub(lambda found, name=name: f"{found[1]}{table(CONFIGS[name])}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    for page, names in PAGES.items():
        before = page.read_text()
        after = rewritten(before, names)
        if "--check" in sys.argv and before != after:
            sys.exit(f"the flags in {page} are stale: python tools/flag_tables.py")
        page.write_text(after)
