"""The cache of compiled code is never stale: each kind of dependency is edited, and a new process has to notice.

Every case is a small package with kernels. One process runs them all, so that the suite doesn't wait for a process per case.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from waiting import PATIENCE

RUN_CASES = """
import importlib, json, sys
from pathlib import Path
from trainer.compile.linker import link

def parts(case, *names):
    return {name: importlib.import_module(f"{case}.{name}") for name in names if Path(case, f"{name}.py").exists()}

results = {}
for case in sys.argv[1:]:
    arguments = [part.ARGUMENT for part in parts(case, "argument").values()]
    sizes = json.loads(Path(case, "sizes.json").read_text()) if Path(case, "sizes.json").exists() else {}
    linked = link(*parts(case, "lowest", "lower", "kernel").values(), constants=sizes)
    answer = linked.kernel.answer(*arguments)
    results[case] = [answer, "loaded" if linked.kernel.answer.stats.cache_hits else "compiled"]
print(json.dumps(results))
"""
"""Prints what the kernel of each case answers, and whether it came from the cache."""

NUMBER_1, NUMBER_2 = "NUMBER = 1\n", "NUMBER = 2\n"
RETURN_NUMBER = "def answer():\n    return NUMBER\n"
PAIR = "from typing import NamedTuple\n\nclass Pair(NamedTuple):\n    {}: int\n    {}: int\n\n"
FIRST_OF_PAIR = "from {}.pair import Pair\n\ndef answer():\n    return Pair(1, 2).first\n"


@dataclass(frozen=True)
class Case:
    """Kernels that answer 1, and an edit."""

    files: dict[str, str]
    """What is in the package; `kernel.py` has the function `answer`."""
    edit: dict[str, str]
    """The files that change."""
    then: int = 2
    """The answer after the edit."""
    environment: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Variables, before and after."""


CASES = {
    "own_text": Case(
        {"kernel.py": "def answer():\n    return 1\n"},
        {"kernel.py": "def answer():\n    return 2\n"},
    ),
    "bound_module": Case(
        {
            "kernel.py": "lower: object\n\ndef answer():\n    return lower.number()\n",
            "lower.py": "def number():\n    return 1\n",
        },
        {"lower.py": "def number():\n    return 2\n"},
    ),
    "module_bound_by_a_bound_module": Case(
        {
            "kernel.py": "lower: object\n\ndef answer():\n    return lower.number()\n",
            "lower.py": "lowest: object\n\ndef number():\n    return lowest.number()\n",
            "lowest.py": "def number():\n    return 1\n",
        },
        {"lowest.py": "def number():\n    return 2\n"},
    ),
    "constant_of_a_bound_module": Case(
        {
            "kernel.py": "lower: object\n\ndef answer():\n    return lower.NUMBER\n",
            "lower.py": "from constant_of_a_bound_module.numbers import NUMBER\n",
            "numbers.py": NUMBER_1,
        },
        {"numbers.py": NUMBER_2},
    ),
    "size": Case(
        {"kernel.py": "NUMBER: int\n\n" + RETURN_NUMBER, "sizes.json": '{"NUMBER": 1}'},
        {"sizes.json": '{"NUMBER": 2}'},
    ),
    "imported_constant": Case(
        {"kernel.py": "from imported_constant.numbers import NUMBER\n\n" + RETURN_NUMBER, "numbers.py": NUMBER_1},
        {"numbers.py": NUMBER_2},
    ),
    "constant_imported_by_an_imported_module": Case(
        {
            "kernel.py": "from .numbers import NUMBER\n\n" + RETURN_NUMBER,
            "numbers.py": "from .deeper import NUMBER\n",
            "deeper.py": NUMBER_1,
        },
        {"deeper.py": NUMBER_2},
    ),
    "imported_array": Case(
        {
            "kernel.py": "from imported_array.table import TABLE\n\ndef answer():\n    return TABLE[1]\n",
            "table.py": "import numpy as np\n\nTABLE = np.array([0, 1])\n",
        },
        {"table.py": "import numpy as np\n\nTABLE = np.array([0, 2])\n"},
    ),
    "array_that_is_not_contiguous": Case(
        {
            "kernel.py": "from .table import TABLE\n\ndef answer():\n    return TABLE[0, 0, 1]\n",
            "table.py": "import numpy as np\n\nTABLE = np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2)\n",
        },
        {"table.py": "import numpy as np\n\nTABLE = np.arange(1, 25).reshape(2, 3, 4).transpose(1, 0, 2)\n"},
    ),
    "order_of_a_named_tuples_fields": Case(
        {
            "kernel.py": FIRST_OF_PAIR.format("order_of_a_named_tuples_fields"),
            "pair.py": PAIR.format("first", "second"),
        },
        {"pair.py": PAIR.format("second", "first")},
    ),
    "argument_with_a_field_added_in_front": Case(
        {
            "kernel.py": "def answer(pair):\n    return pair.first\n",
            "argument.py": PAIR.format("first", "second") + "ARGUMENT = Pair(first=1, second=2)\n",
        },
        {"argument.py": PAIR.format("second", "first") + "ARGUMENT = Pair(first=1, second=2)\n"},
        then=1,  # a kernel that was compiled for the old order would give 2
    ),
    "file_read_at_import": Case(
        {
            "kernel.py": "from pathlib import Path\n\n"
            'NUMBER = int((Path(__file__).parent / "number.txt").read_text())\n\n' + RETURN_NUMBER,
            "number.txt": "1",
        },
        {"number.txt": "2"},
    ),
    "environment_read_at_import": Case(
        {"kernel.py": 'import os\n\nNUMBER = int(os.environ["TEST_NUMBER"])\n\n' + RETURN_NUMBER},
        {},
        environment={"TEST_NUMBER": ("1", "2")},
    ),
    "default_of_an_argument": Case(
        {"kernel.py": 'import os\n\ndef answer(number=int(os.environ["TEST_DEFAULT"])):\n    return number\n'},
        {},
        environment={"TEST_DEFAULT": ("1", "2")},
    ),
    "closure": Case(
        {
            "kernel.py": "import os\n\ndef made(number):\n    def inner():\n        return number\n    return inner\n\n"
            'number = made(int(os.environ["TEST_CLOSURE"]))\n\ndef answer():\n    return number()\n'
        },
        {},
        environment={"TEST_CLOSURE": ("1", "2")},
    ),
    "choice_between_two_functions": Case(
        {
            "kernel.py": 'import os\n\nnumber = (lambda: 1) if os.environ["TEST_CHOICE"] == "1" else (lambda: 2)\n\n'
            "def answer():\n    return number()\n"
        },
        {},
        environment={"TEST_CHOICE": ("1", "2")},
    ),
}


@dataclass
class Workplace:
    """A folder with the packages of all cases, and a cache for what is compiled there."""

    folder: Path

    def write(self, case: str, files: dict[str, str]) -> None:
        """Write files of a case; Python's own cache of bytecode looks at times and sizes, and could miss a quick edit."""
        (self.folder / case).mkdir(exist_ok=True)
        for name, text in files.items():
            (self.folder / case / name).write_text(text)

    def run(
        self, edited: bool = False, program: str = RUN_CASES, cases: tuple[str, ...] = tuple(CASES)
    ) -> dict[str, list]:
        """The results of a process of its own: by case, the answer and whether it was loaded or compiled."""
        variables = {name: values[edited] for case in CASES.values() for name, values in case.environment.items()}
        path = os.pathsep.join([*sys.path, str(self.folder)])
        own = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "CARTRIDGE_CACHE": str(self.folder / "cache")}
        found = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, *cases],
            cwd=self.folder,
            env={**os.environ, **variables, **own},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list]]:
    """The results of four processes: the first, a second one, one after the edits, and one after they were undone."""
    place = Workplace(tmp_path_factory.mktemp("cases"))
    for name, case in CASES.items():
        place.write(name, case.files)
    found = {"first": place.run(), "again": place.run()}
    for name, case in CASES.items():
        place.write(name, case.edit)
    found["edited"] = place.run(edited=True)
    for name, case in CASES.items():
        place.write(name, case.files)
    return found | {"undone": place.run()}


@pytest.mark.parametrize("case", CASES)
def test_an_edit_of_a_dependency_is_in_force_in_the_next_process(runs: dict[str, dict[str, list]], case: str) -> None:
    """A kernel is compiled anew if something that it depends on has changed, and loaded from the cache if not."""
    assert runs["first"][case] == [1, "compiled"]
    assert runs["again"][case] == [1, "loaded"]
    assert runs["edited"][case] == [CASES[case].then, "compiled"]
    assert runs["undone"][case] == [1, "loaded"]


EDIT_WHILE_RUNNING = """
import json
from pathlib import Path
import body.kernel, imported.kernel, imported.numbers, constant.kernel
from trainer.compile.linker import link
from trainer.core.errors import KernelError

Path("body/kernel.py").write_text("def answer():\\n    number = 2\\n    return number\\n")
Path("imported/numbers.py").write_text("NUMBER = 2\\n")
Path("constant/kernel.py").write_text("NUMBER = 2\\n\\ndef answer():\\n    return NUMBER\\n")
results = {name: [link(module).kernel.answer()] for name, module in (("body", body.kernel), ("imported", imported.kernel))}
try:
    link(constant.kernel)
except KernelError as error:
    results["constant"] = [str(error)]
print(json.dumps(results))
"""


def test_an_edit_while_a_process_runs_leaves_nothing_stale_behind(tmp_path: Path) -> None:
    """Files change after they were imported and before they are linked.

    What this process compiles may be of the old version or the new; the next process gets the new one in any case. A
    constant of the module itself may have shaped its caller's memory, so there the two versions are not mixed.
    """
    place = Workplace(tmp_path)
    place.write("body", {"kernel.py": "def answer():\n    return 1\n"})
    place.write("imported", {"kernel.py": "from .numbers import NUMBER\n\n" + RETURN_NUMBER, "numbers.py": NUMBER_1})
    place.write("constant", {"kernel.py": NUMBER_1 + "\n" + RETURN_NUMBER})
    found = place.run(program=EDIT_WHILE_RUNNING)
    assert found["body"] == [2]
    assert found["imported"] == [1]
    assert (
        "constant/kernel.py, line 1: NUMBER is int 2, but this process imported the module with int 1"
        in found["constant"][0]
    )
    after = place.run(cases=("body", "imported", "constant"))
    assert {case: answer for case, (answer, _) in after.items()} == {"body": 2, "imported": 2, "constant": 2}


def test_a_damaged_file_is_compiled_anew(tmp_path: Path) -> None:
    """As a power failure may leave it, cut off; or with other content, whose reading may raise anything."""
    damages = {
        "empty": lambda whole: b"",
        "cut_off": lambda whole: whole[: len(whole) // 2],
        "no_text": lambda whole: b"\x80\x04\x8c\x02\xff\xfe.",  # a pickle of a text that is no UTF-8
        "too_large": lambda whole: b"\x80\x04\x8e" + b"\xff" * 8,  # a pickle of more bytes than there is memory
    }
    place, cases = Workplace(tmp_path), tuple(damages)
    for name in damages:
        place.write(name, {"kernel.py": f"def answer():\n    return 1  # {name}\n"})
    compiled, loaded = ({name: [1, how] for name in damages} for how in ("compiled", "loaded"))
    assert place.run(cases=cases) == compiled
    for name, damage in damages.items():
        (index,) = (tmp_path / "cache").glob(f"{name}.kernel-*/__pycache__/*.nbi")
        index.write_bytes(damage(index.read_bytes()))
    assert place.run(cases=cases) == compiled
    assert place.run(cases=cases) == loaded
