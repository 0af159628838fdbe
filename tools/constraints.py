"""Writes constraints.txt: the newest versions that fit every extra together."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Exact versions of everything that `make setup` installs, for Python 3.11 and 3.12.
# Made by `make constraints`; edit pyproject.toml instead.
"""
OPTIONS = (
    "--quiet",
    "--all-extras",
    "--strip-extras",
    "--upgrade",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--output-file=-",
)
PIN = re.compile(r"^[a-z0-9][a-z0-9.-]*==\S+$")
# Packages that exist only below this Python: the pin must not speak elsewhere.
MARKERS = {"bytewax": 'python_version < "3.13"'}


def compiled() -> list[str]:
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    # loom itself comes out as a path of this machine, so only true pins are kept.
    return [line for line in done.stdout.splitlines() if PIN.match(line)]


def with_marker(pin: str) -> str:
    marker = MARKERS.get(pin.partition("==")[0])
    return f"{pin} ; {marker}" if marker else pin


def main() -> None:
    text = HEADER + "\n".join(with_marker(pin) for pin in compiled()) + "\n"
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
