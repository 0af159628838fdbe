"""Apache Kafka's broker as jar files, fetched once by Maven and kept in the git-ignored `.cache/`."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.java import missing_java

KAFKA = "4.3.1"
CACHE = Path(__file__).resolve().parents[2] / ".cache"
POM = """\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>loom.tests</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{version}</version>
    </dependency>
    <!-- Without a binding the broker would say nothing about why it did not start. -->
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
"""


class NoJars(RuntimeError):
    """Apache Kafka cannot be had on this machine; the message says what is missing."""


def kafka_jars() -> Path:
    """The folder with every jar of the broker's run time."""
    java = missing_java()
    if java:
        raise NoJars(java)
    folder = CACHE / f"kafka-{KAFKA}"
    if not folder.is_dir():
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoJars("no Maven (mvn) on PATH to fetch Apache Kafka with")
    CACHE.mkdir(exist_ok=True)
    # Into a neighbour first: two runs at once, or one that is broken off, must not leave half a folder.
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        pom, jars = Path(scratch, "pom.xml"), Path(scratch, "jars")
        pom.write_text(POM.format(version=KAFKA), encoding="utf-8")
        _run_maven([maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"])
        if not folder.is_dir():
            jars.replace(folder)


def _run_maven(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        raise NoJars("Maven did not answer within 300 s") from None
    if done.returncode != 0:
        last = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise NoJars(f"Maven could not fetch Apache Kafka {KAFKA}: {' '.join(last)}")
