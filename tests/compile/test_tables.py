"""Arrays that are too large for Numba to keep the code that uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from registering import rules_in

from trainer.compile import tables
from trainer.compile.linker import link

LARGE = "import numpy as np\n\nTABLE = np.arange(130_000)\nPAIR = (np.zeros(3), TABLE)\nOTHER = TABLE + 1\n\n"
USER = "{}: object\n\ndef answer():\n    return {}.answer() + 1\n"


@pytest.fixture(autouse=True)
def has_said_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that begins, with a cache of its own."""
    monkeypatch.setattr(tables, "_told", set())
    monkeypatch.setenv("CARTRIDGE_CACHE", str(tmp_path / "cache"))


def kept(folder: Path) -> list[str]:
    """The names of the functions whose compiled code is in the cache."""
    return sorted(path.name.partition("-")[0] for path in (folder / "cache").glob("*/__pycache__/*.nbc"))


@pytest.mark.parametrize(
    ("expression", "line", "name"), [("TABLE[5]", 3, "TABLE"), ("PAIR[1][5]", 4, "PAIR")], ids=["alone", "in a tuple"]
)
def test_a_large_table_is_told_once(
    expression: str, line: int, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With its line, its name and its size, and not by Numba, which would warn of each function that isn't kept. What
    doesn't use the table is kept; what no function uses may be of any size."""
    large, user = tmp_path / f"large_{name.lower()}.py", tmp_path / f"user_{name.lower()}.py"
    large.write_text(f"{LARGE}def answer():\n    return {expression}\n\ndef small():\n    return 1\n")
    user.write_text(USER.format(large.stem, large.stem))
    modules = rules_in(large), rules_in(user)
    for _ in range(2):
        linked = link(*modules)
        assert getattr(linked, user.stem).answer() == 6
        assert getattr(linked, large.stem).small() == 1
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"{large}, line {line}: {name} has 1,040,000 bytes. Numba keeps no compiled code"
    )
    assert kept(tmp_path) == [f"{large.stem}.small"]


def test_tables_up_to_the_limit_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The limit is Numba's: its code for a table of exactly 1,000,000 bytes is kept."""
    path = tmp_path / "limit.py"
    path.write_text("import numpy as np\n\nTABLE = np.arange(125_000)\n\ndef answer():\n    return TABLE[5]\n")
    assert link(rules_in(path)).limit.answer() == 5
    assert caplog.records == []
    assert kept(tmp_path) == ["limit.answer"]
