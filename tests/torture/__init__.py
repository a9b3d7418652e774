"""What docs/reliability.md promises, tried by force: `make torture`. The tests beside this folder run a short form."""

import sys
from pathlib import Path

# The programs here run without pytest, which otherwise finds what the tests share.
SUPPORT = Path(__file__).parent.parent / "support"
sys.path += [str(SUPPORT), str(SUPPORT / "web")]

from programs import bound_files  # noqa: E402

bound_files()
