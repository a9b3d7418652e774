"""Build the wheel and use it as a new user would: `make try-wheel`.

It is installed into an empty environment, with the versions of constraints.txt and nothing that only tests need. From an
empty folder it then trains tic-tac-toe for some steps and serves the page.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    """All steps; the first that fails ends it."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        check_content(wheel)
        programs = install(wheel, Path(folder) / "environment")
        empty = Path(folder) / "empty"
        empty.mkdir()
        train(programs, empty)
        serve(programs, empty)


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


def files_of(folder: str = ".") -> list[str]:
    """The files of the repository that git knows or would add."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", folder]
    found = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [name for name in found if (ROOT / name).is_file()]


def build(folder: Path) -> Path:
    """The wheel, made from a copy of the sources, so that nothing of an earlier build gets into it."""
    copy = folder / "sources"
    for name in files_of():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    run(folder, sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, copy)
    (wheel,) = folder.glob("*.whl")
    say(f"built {wheel.name}")
    return wheel


def check_content(wheel: Path) -> None:
    """The package is in it, every file of it, with the licence, and nothing else."""
    expected = {name.removeprefix("src/") for name in files_of("src/trainer")}
    with zipfile.ZipFile(wheel) as content:
        found = {name for name in content.namelist() if ".dist-info/" not in name}
        licences = [name for name in content.namelist() if ".dist-info/licenses/" in name]
    assert found == expected, f"missing: {sorted(expected - found)}; too many: {sorted(found - expected)}"
    assert licences, "the licence is missing"
    say(f"it has the {len(found)} files of the package")


def install(wheel: Path, environment: Path) -> Path:
    """Install it into an environment of its own; returns the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    programs = environment / "bin"
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check"]
    run(environment, *pip, "install", "--constraint", ROOT / "constraints.txt", wheel)
    listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True).stdout
    say(f"installed: {', '.join(line.partition('==')[0] for line in listed.splitlines())}")
    return programs


def train(programs: Path, folder: Path) -> None:
    """Some steps of tic-tac-toe, and a match of the model against random play."""
    run(folder, programs / "cartridge", "--help")
    run(folder, programs / "cartridge", "loop", "--data-dir", "data", "--steps", "200", "--threads", "1")
    run(folder, programs / "cartridge", "evaluate", "--model", "data/models/latest.onnx", "--db", "data/replay.db")
    say("trained tic-tac-toe and evaluated the model")


def run(folder: Path, *words: object) -> None:
    """A command in a folder; what it says is shown if it fails."""
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")


def serve(programs: Path, folder: Path) -> None:
    """The page of that run, with the scripts and style sheets that it names."""
    command = [str(programs / "cartridge"), "web", "--data-dir", "data", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, f"no address in {line!r}"
            page = fetch(found[0]).decode()
            for name in re.findall(r'(?:src|href)="/?([\w/.-]+\.(?:js|css))"', page):
                fetch(found[0] + name)
        finally:
            server.terminate()
    say("served the page")


def fetch(address: str) -> bytes:
    """The content at an address of the server."""
    with urllib.request.urlopen(address, timeout=600) as answer:
        content: bytes = answer.read()
    assert content, f"nothing at {address}"
    return content


if __name__ == "__main__":
    main()
