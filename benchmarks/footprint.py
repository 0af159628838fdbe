"""What a running process has used, from the kernel's own books (Linux)."""

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Processor time of a process with all its threads, in seconds."""
    # The name of the program stands in brackets and may hold spaces; the numbers begin behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
