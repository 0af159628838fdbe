"""The Java that Spark needs, found before Spark fails for want of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from loom.domain.errors import EngineFailure

OLDEST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def require_java(environment: Mapping[str, str] = os.environ) -> None:
    """Make sure that there is a Java that Spark runs on: that of ``JAVA_HOME``, else ``java`` on ``PATH``.

    Raises:
        EngineFailure: there is none, or it is older than 17.
    """
    java = _java(environment)
    if java is None:
        raise _unfit("none was found")
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except OSError as error:
        raise _unfit(f"{java} does not start: {error}") from error
    found = _VERSION.search(said)
    if found is None or int(found.group(1)) < OLDEST:
        version = f"version {found.group(1)}" if found else "of an unknown version"
        raise _unfit(f"{java} is {version}")


def _java(environment: Mapping[str, str]) -> str | None:
    home = environment.get("JAVA_HOME")
    if home:
        return str(Path(home) / "bin" / "java")
    return shutil.which("java", path=environment.get("PATH", ""))


def _unfit(found: str) -> EngineFailure:
    return EngineFailure(
        f"Spark needs Java {OLDEST} or newer, but {found}",
        remedy=f"install Java {OLDEST} and set JAVA_HOME to its folder, or set etl.adapter to polars",
    )
