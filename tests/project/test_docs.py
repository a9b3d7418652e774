"""The documentation says what the code does."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tools import flag_tables
from tools.flag_tables import COMMANDS, flags_of
from trainer.export import start
from trainer.export.stored import StoredNetwork
from trainer.games.recipes import recipe_of
from trainer.pretrained import env_ids, shipped
from trainer.settings.base import fixed_names
from trainer.settings.loop import LoopConfig

ROOT = Path(__file__).parent.parent.parent
LOG = ROOT / "docs" / "log.md"
"""History: it names files and flags as they were on the day."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TODAY = [page for page in PAGES if page != LOG]
README_LINES = 150
OTHER_MODULES = {"pytest", "bench", "bench.profiles", "trainer.measure.make_positions"}
"""What `python -m` starts in the documentation beside our commands."""

every_page = pytest.mark.parametrize("page", TODAY, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of a page may name, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[list[str]]:
    """Each command of the shell blocks of a page, as words, without comments."""
    for block in re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            if words := ([] if '"' in line and line.count('"') % 2 else shlex.split(line, comments=True)):
                yield words


def command_of(words: list[str]) -> str | None:
    """Which of COMMANDS a command line starts; None if it is something else."""
    for name, command in COMMANDS.items():
        if words[:3] == ["python", "-m", command.module] or words[:2] == ["cartridge", command.name]:
            return name
    return None


def test_the_tables_of_flags_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made from the dataclasses: `python tools/flag_tables.py`."""
    monkeypatch.setattr(sys, "argv", ["flag_tables.py", "--check"])
    flag_tables.main()  # exits with the page that is stale


def test_the_readme_is_short() -> None:
    """What takes longer to say has a page of its own in docs/."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link, and the heading that it names."""
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            found = (page.parent / path).resolve() if path else page
            assert found.exists(), target
            assert not anchor or anchor in anchors(found), target


@every_page
def test_files_that_are_named_are_there(page: Path) -> None:
    """Every path of the repository in backticks."""
    paths = re.findall(r"`((?:src|tests|docs|tools|bench)/[\w./-]*)`", page.read_text())
    assert [path for path in paths if not (ROOT / path).exists()] == []


@every_page
def test_commands_that_are_shown_exist_with_their_flags(page: Path) -> None:
    """In blocks of shell commands: programs, modules, scripts, make targets and flags."""
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for words in commands(page):
        name = command_of(words)
        if name:
            known = {"--help"} | {flag for one in flags_of(name) for flag in one.names}
            assert {word for word in words if word.startswith("--")} <= known, words
        elif words[0] == "make":
            assert words[1] in targets, words
        elif words[:2] == ["python", "-m"]:
            assert words[2] in OTHER_MODULES, words
            assert find_spec(words[2]), words
        elif words[0] == "python" and words[1] != "-c":
            assert (ROOT / words[1]).exists(), words
        else:
            assert words[0] != "cartridge" or words[1] == "--help", words


def test_every_command_has_a_table_of_flags() -> None:
    """docs/commands.md is complete."""
    text = (ROOT / "docs" / "commands.md").read_text()
    for name, command in COMMANDS.items():
        assert f"| `cartridge {command.name}` | `python -m {command.module}` |" in text
        assert f"<!-- flags {name} -->" in text


def test_the_models_of_the_package_are_listed() -> None:
    """Under `cartridge play` in docs/commands.md."""
    text = (ROOT / "docs" / "commands.md").read_text()
    (listed,) = re.findall(r"a model comes with the package: ([^.]+)\.", text)
    assert re.findall(r"`(.+?)`", listed) == env_ids()


def test_the_models_with_another_network_than_their_recipe_are_listed() -> None:
    """In docs/training.md, where --start-from needs flags for them."""
    text = (ROOT / "docs" / "training.md").read_text()
    (listed,) = re.findall(r"on a CPU, too; the error names them: those of ([^.]+)\.", text)
    files = {env_id: shipped(env_id) for env_id in env_ids()}
    networks = {env_id: StoredNetwork.read(file.read_bytes()).settings for env_id, file in files.items() if file}
    needed = [env_id for env_id in networks if start.flags_of(networks[env_id]) != start.flags_of(recipe_of(env_id))]
    assert sorted(re.findall(r"`(.+?)`", listed)) == needed


def test_what_a_resumed_run_keeps_is_listed() -> None:
    """At the end of docs/training.md."""
    _, text = (ROOT / "docs" / "training.md").read_text().split("## What `--resume` may not change\n")
    listed = re.findall(r"`--([a-z-]+)`", text.partition("All others")[0])
    assert listed == [name.replace("_", "-") for name in fixed_names(LoopConfig)]


def test_every_page_is_in_the_readme() -> None:
    """Its last table says which page answers what."""
    text = (ROOT / "README.md").read_text()
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in text]
    assert missing == []
