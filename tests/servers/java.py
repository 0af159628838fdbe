"""The machine's Java, which Spark and Apache Kafka both need in version 17 or newer."""

import re
import shutil
import subprocess
from functools import cache

OLDEST = 17
VERSION = re.compile(r'version "((\d+)[^"]*)"')


@cache
def java_version() -> str | None:
    """The full version of `java` on PATH, or None where there is none that answers."""
    java = shutil.which("java")
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    found = VERSION.search(said)
    return found.group(1) if found else None


def missing_java() -> str | None:
    """What is wrong with this machine's Java, in a sentence, or None when it will do."""
    version = java_version()
    if version is None:
        return "no Java on PATH; version 17 or newer is needed"
    if int(version.partition(".")[0]) < OLDEST:
        return f"Java {version} is too old; version {OLDEST} or newer is needed"
    return None
