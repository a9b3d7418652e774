"""Write the tables of flags in README.md and docs/web.md, and that of recipes, from the dataclasses they are made from.

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
from trainer.settings.recipes import RECIPES, Recipe
from trainer.settings.trainer import TrainerConfig
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


def recipe_table() -> str:
    """A row for each setting that the loop passes on, a column for each game."""
    rows = [f"| | {' | '.join(RECIPES)} |", "|---" * (len(RECIPES) + 1) + "|"]
    for field in fields(Recipe):
        shown = [written(getattr(recipe, field.name)) for recipe in RECIPES.values()]
        rows.append(f"| `--{field.name.replace('_', '-')}` | {' | '.join(shown)} |")
    return "\n".join(rows)


def written(value: str | float | bool | None) -> str:
    """A setting as a table shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else f"{value:g}"


def rewritten(text: str, names: tuple[str, ...]) -> str:
    """A page with fresh tables."""
    tables = {f"flags {name}": table(CONFIGS[name]) for name in names}
    if "loop" in names:
        tables["recipes"] = recipe_table()
    for name, fresh in tables.items():
        pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        assert pattern.search(text), f"there is no place for the table {name!r}"
        text = pattern.sub(lambda found, fresh=fresh: f"{found[1]}{fresh}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    for page, names in PAGES.items():
        before = page.read_text()
        after = rewritten(before, names)
        if "--check" in sys.argv and before != after:
            sys.exit(f"the flags in {page} are stale: python tools/flag_tables.py")
        page.write_text(after)
