"""What compiled code must not depend on, because the key of the cache can't see it: each kind is refused with its remedy."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest
from registering import rules_in

from trainer.compile.linker import link
from trainer.core.errors import KernelError

OTHER = """
import numba

class Plain:
    size = 3

def plain():
    return 1

@numba.njit
def compiled():
    return 1
"""

REFUSED = {
    "a trainer module": (
        "from trainer.games import base\n\ndef f():\n    return base.MOVER\n",
        "line 1: base is the module trainer.games.base, whose text is not part of the key; "
        "for a module of kernels write `base: ModuleType` instead of the import",
    ),
    "a trainer module by its package": (
        "import numpy as np\nimport trainer.games.base\n",
        "line 2: trainer is the module trainer, whose text is not part of the key",
    ),
    "a module of another package": (
        "import onnx\n",
        "line 1: onnx is the module onnx, whose text is not part of the key; .*"
        "from any other module import constants by name",
    ),
    "a compiled function of another module": (
        "from other import compiled\n\ndef f():\n    return compiled()\n",
        r"line 1: compiled is something compiled by Numba \(CPUDispatcher\).*annotate that module",
    ),
    "a compiled function of another module that only others could call": (
        "from other import compiled\n",
        "line 1: compiled is something compiled by Numba",
    ),
    "an operation of another module": (
        "from trainer.sparse.lanes import load_block\n",
        r"line 1: load_block is something compiled by Numba \(_Intrinsic\)",
    ),
    "a function that the module compiles itself": (
        "from numba import njit\n\n@njit\ndef f():\n    return 1\n",
        "f is something compiled by Numba .*remove the decorator",
    ),
    "a plain function of another module": (
        "from other import (\n    plain,\n)\n\ndef f():\n    return plain()\n",
        "line 2: plain is a function of other, whose text is not part of the key; write `other: ModuleType` instead",
    ),
    "a class of another module": (
        "from other import Plain\n\ndef f():\n    return Plain.size\n",
        "line 1: Plain is the class other.Plain, .*named tuples and enums",
    ),
    "a class of another module in a function that makes a table, and is compiled, too": (
        "from other import Plain\n\ndef f():\n    return Plain.size\n\nSIZE = f()\n\ndef g():\n    return f()\n",
        "line 1: Plain is the class other.Plain",
    ),
    "a list in a function that no other one and nothing at the top uses": (
        "PARTS = [1]\n\ndef table():\n    return tuple(part() for part in PARTS)\n",
        "line 1: PARTS is a list",
    ),
    "an import inside a function": (
        "def f(x):\n    y = x\n    import math\n    return math.sqrt(y)\n",
        "line 3: a function imports math, .*at the top of the module",
    ),
    "a list": (
        "import math\nTABLE = [1, 2]\n\ndef f():\n    return TABLE[0]\n",
        "line 2: TABLE is a list, which could change; make it a number, a string, a tuple or a NumPy array",
    ),
    "several lists": (
        "ONE = [1]\nTWO = {2}\n\ndef f():\n    return ONE[0]\n\ndef g():\n    return TWO\n",
        r"line 1: ONE is a list, which could change; .* or a NumPy array\. Look at TWO \(line 2\), too$",
    ),
    "a dict in a comprehension inside a function": (
        "WORDS = {0: 1}\n\ndef f():\n    return [WORDS[a] for a in (0,)]\n",
        "line 1: WORDS is a dict",
    ),
    "a list as a default": (
        "def f(table=[1]):\n    return table[0]\n",
        "line 1: f is a function with a list, which could change, as a default or in its closure; make it",
    ),
    "an array of objects": (
        "import numpy as np\n\nTABLE = np.array([None])\n\ndef f():\n    return TABLE\n",
        "line 3: TABLE is a NumPy array of Python objects; give it a numeric type",
    ),
    "a value that is another one each time": (
        "import time\n\nNOW = time.perf_counter()\n",
        "line 3: NOW is float .*, but this process imported the module with float",
    ),
    "an annotated global that nobody provides": (
        "from typing import Any\n\nrules: Any\n\ndef f():\n    return rules.f()\n",
        "line 3: rules is annotated, but it has no value and is not linked before this module",
    ),
}

_number = count()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where kernel modules are written; `other` can be imported from there."""
    (tmp_path / "other.py").write_text(OTHER)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def linked(folder: Path, text: str) -> None:
    """Link a module with this text."""
    path = folder / f"kernel_{next(_number)}.py"
    path.write_text(text)
    link(rules_in(path))


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_key_cannot_see_is_refused(folder: Path, text: str, message: str) -> None:
    """One sentence: the file, the line, the name, what it is, and what to do."""
    with pytest.raises(KernelError, match=message) as caught:
        linked(folder, text)
    assert re.match(rf"{folder}/kernel_\d+\.py, line \d+: \w+", str(caught.value))


ALLOWED = {
    "a plain function that runs at import only": "from other import plain\n\nONE = plain()\n\ndef f():\n    return ONE\n",
    "the same in a comprehension": "from other import plain\n\nONES = tuple([plain() for _ in range(3)])\n",
    "a dict in comprehensions inside another one": (
        "WORDS = {0: 1}\nROWS = tuple(tuple(WORDS[a] for _ in range(3)) for a in [0])\n"
        "SAME = [[WORDS[a] for a in (0,)] for _ in range(2)]\n\ndef f():\n    return ROWS[0][0]\n"
    ),
    "a plain function and a class that only functions for tables use": (
        "from other import Plain, plain\n\ndef table():\n    return tuple(row(at) for at in range(plain()))\n\n"
        "def row(at):\n    return Plain.size + at\n\nTABLE = table()\nOTHER = row(2)\n\ndef f():\n    return TABLE[0]\n"
    ),
    "a list that no function uses": "PARTS = [1, 2]\nTABLE = tuple(PARTS)\n\ndef f():\n    return TABLE[0]\n",
    "a class in annotations": "from other import Plain\n\ndef f(plain: Plain):\n    return 1\n",
    "a class with annotations, as Python 3.14 makes it": (
        "class Step:\n    size = 1\n\n    def __annotate_func__(self, names={}):\n        return names\n\n"
        "SIZE = Step.size\n\ndef f():\n    return SIZE\n"
    ),
    "functions of NumPy and the standard library": (
        "import math\nimport numpy as np\nfrom math import log\nfrom numpy import sqrt, sum\n\n"
        "def f(x):\n    return log(x) + sqrt(x) + math.exp(x) + sum(np.ones(1))\n"
    ),
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_what_cannot_reach_compiled_code_but_by_its_value_is_allowed(folder: Path, text: str) -> None:
    """Helpers that run at import have their whole effect on values, and those are in the key."""
    linked(folder, text)


def test_functions_that_are_never_compiled_may_use_anything(folder: Path) -> None:
    """Unless a compiled one uses it, too, or uses their helper."""
    text = "WORDS = ['a', 'b']\n\ndef name(at):\n    return word(at)\n\ndef word(at):\n    return WORDS[at]\n\n"
    path = folder / "words.py"
    path.write_text(text + "def f():\n    return 1\n")
    link(own=rules_in(path), called={"own": ("f", "g")})
    path = folder / "shared_words.py"
    path.write_text(text + "def f():\n    return word(1)\n")
    with pytest.raises(KernelError, match="line 1: WORDS is a list"):
        link(own=rules_in(path), called={"own": ("f",)})
    with pytest.raises(KernelError, match="line 1: WORDS is a list"):
        link(own=rules_in(path))


def test_two_modules_of_one_name_are_told_apart_by_a_keyword(folder: Path) -> None:
    """Without one it would be left to chance which of them is bound."""
    module = rules_in(folder / "other.py")
    with pytest.raises(ValueError, match="two things to link are named other"):
        link(module, constants={"other": 1})
    with pytest.raises(KernelError, match="the constant TABLE is a list, which could change"):
        link(constants={"TABLE": [1]})
