"""Runs every static check and ends with all that failed, so that one run shows all there is to mend."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FOLDERS = [name for name in ("loom", "tests", "tools", "examples", "benchmarks") if (ROOT / name).is_dir()]

CHECKS: dict[str, list[str]] = {
    "format": [f"{BIN}/ruff", "format", "--check", "--quiet", *FOLDERS],
    "lint": [f"{BIN}/ruff", "check", "--quiet", *FOLDERS],
    "types": [f"{BIN}/mypy", "--no-error-summary", *FOLDERS],
    "layers": [f"{BIN}/lint-imports", "--no-logo"],
    "size": [sys.executable, "-m", "tools.size_gate"],
    "docs": [f"{BIN}/mkdocs", "build", "--strict", "--quiet"],
}


def passes(name: str, command: list[str]) -> bool:
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    print(f"{name:8} {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode != 0 or name in ("layers", "size"):
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def main() -> int:
    wanted = sys.argv[1:] or list(CHECKS)
    failed = [name for name in wanted if not passes(name, CHECKS[name])]
    print(f"check: {', '.join(failed)} failed" if failed else "check: all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
