"""Write the tables of flags and recipes in the documentation, from the dataclasses that the commands parse.

    python tools/flag_tables.py           rewrite the tables
    python tools/flag_tables.py --check   exit 1 if a table is stale

A page asks for a table with a pair of comments, `<!-- flags trainer -->` or `<!-- recipes -->`, and `<!-- end -->`. What
stands between them is replaced. Every command must have its table in docs/commands.md; other pages may repeat one.
"""

from __future__ import annotations

import re
import sys
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from trainer.core.arguments import help_texts
from trainer.evaluator import EvaluatorConfig
from trainer.games import ENV_IDS
from trainer.games.recipes import recipe_of
from trainer.ladder import LadderConfig
from trainer.settings.actor import ActorConfig
from trainer.settings.analyse import AnalyseConfig
from trainer.settings.check import CheckConfig
from trainer.settings.gtp import GtpConfig
from trainer.settings.loop import LoopConfig
from trainer.settings.play import PlayConfig
from trainer.settings.trainer import TrainerConfig
from trainer.settings.web import WebConfig

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPLETE = ROOT / "docs" / "commands.md"


@dataclass(frozen=True)
class Command:
    """A command: its names on the command line, and the dataclass that its flags are made from."""

    module: str
    """As in `python -m MODULE`."""
    name: str
    """As in `cartridge NAME`."""
    settings: Any


COMMANDS = {
    "loop": Command("trainer.loop", "loop", LoopConfig),
    "trainer": Command("trainer", "train", TrainerConfig),
    "actor": Command("trainer.actor", "actor", ActorConfig),
    "evaluator": Command("trainer.evaluator", "evaluate", EvaluatorConfig),
    "ladder": Command("trainer.ladder", "ladder", LadderConfig),
    "analyse": Command("trainer.analyse", "analyse", AnalyseConfig),
    "check": Command("trainer.check", "check", CheckConfig),
    "gtp": Command("trainer.gtp", "gtp", GtpConfig),
    "play": Command("trainer.play", "play", PlayConfig),
    "web": Command("trainer.web", "web", WebConfig),
}
PER_GAME = "per game"
"""Default of a setting of the loop that recipes change."""
PER_MACHINE = {("loop", "threads"): "one per core"}
"""Defaults that depend on the machine, by command and field."""
LONGEST_NUMBER = 8
"""Characters of a number; one that takes more, such as a third, is rounded."""


@dataclass(frozen=True)
class Flag:
    """One flag: how it is written, its default, and its help text."""

    names: tuple[str, ...]
    default: str
    text: str


def flags_of(command: str) -> list[Flag]:
    """The flags of a command, in the order of its dataclass."""
    settings = COMMANDS[command].settings
    hints, texts = get_type_hints(settings), help_texts(settings)
    return [flag_of(field, hints[field.name], texts[field.name], command) for field in fields(settings)]


def flag_of(field: Field[Any], hint: Any, text: str, command: str) -> Flag:
    """One flag as the tables show it."""
    name = field.name.replace("_", "-")
    default = field.default
    names = (f"--{name}", f"--no-{name}") if isinstance(default, bool) else (f"--{name}",)
    if field.metadata.get("positional"):
        names = (name.upper(),)
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    if any(str(choice) not in text for choice in choices):
        text = f"{text} One of {', '.join(map(str, choices))}."
    shown = PER_MACHINE.get((command, field.name), written(default))
    return Flag(names, PER_GAME if command == "loop" and varies(field) else shown, text)


def varies(field: Field[Any]) -> bool:
    """Whether the recipe of some game changes a setting of the loop."""
    return field.name != "env_id" and any(getattr(recipe_of(game), field.name) != field.default for game in ENV_IDS)


def table(command: str) -> str:
    """The table of a command: a row for each flag."""
    rows = ["| flag | default | |", "|---|---|---|"]
    for flag in flags_of(command):
        shown = flag.names[:1] if flag.default == "off" else flag.names
        default = f"`{flag.default}`" if flag.default not in ("", PER_GAME) else flag.default
        text = flag.text.replace("|", "\\|")
        rows.append(f"| {', '.join(f'`{name}`' for name in shown)} | {default} | {text} |")
    return "\n".join(rows)


def recipe_table() -> str:
    """A row for each setting that a recipe changes, a column for each game."""
    rows = [f"| | {' | '.join(ENV_IDS)} |", "|---" * (len(ENV_IDS) + 1) + "|"]
    for field in filter(varies, fields(LoopConfig)):
        values = [written(getattr(recipe_of(env_id), field.name)) for env_id in ENV_IDS]
        rows.append(f"| `--{field.name.replace('_', '-')}` | {' | '.join(values)} |")
    return "\n".join(rows)


def written(value: Any) -> str:
    """A value as the tables show it."""
    if value is None or value is MISSING:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, float) and len(str(value)) > LONGEST_NUMBER:
        return f"{value:.3g}"
    return str(value)


def rewritten(text: str) -> str:
    """A page with fresh tables."""

    def fresh(found: re.Match[str]) -> str:
        kind, _, command = found[1].partition(" ")
        return f"<!-- {found[1]} -->\n{recipe_table() if kind == 'recipes' else table(command)}\n<!-- end -->"

    return re.sub(r"<!-- (flags \w+|recipes) -->\n.*?<!-- end -->", fresh, text, flags=re.DOTALL)


def main() -> None:
    """Rewrite the pages, or check them."""
    missing = [name for name in COMMANDS if f"<!-- flags {name} -->" not in COMPLETE.read_text()]
    if missing:
        sys.exit(f"{COMPLETE} has no table of flags for {', '.join(missing)}")
    for page in PAGES:
        before = page.read_text()
        after = rewritten(before)
        if "--check" in sys.argv and before != after:
            sys.exit(f"the tables in {page} are stale; run python tools/flag_tables.py")
        if before != after:
            page.write_text(after)


if __name__ == "__main__":
    main()
