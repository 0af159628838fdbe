"""Load by wrk (https://github.com/wg/wrk), which takes its requests from a Lua script."""

import json
import math
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.load import Burst, Call

# The requests are made before the clock starts; one thread hands them out in order to all connections.
_SCRIPT = """
local requests = {
%s
}
local at = 0
request = function()
  at = at %% #requests + 1
  return requests[at]
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"answers": %%d, "microseconds": %%d, "p50": %%d, "p99": %%d, "failed": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@attrs.frozen
class WrkLoad:
    """Runs wrk with one thread, so that calls go out in their order and two connections never write one row."""

    program: str

    @property
    def name(self) -> str:
        return "wrk"

    def burst(self, port: int, calls: Sequence[Call], *, connections: int, seconds: float) -> Burst:
        with tempfile.TemporaryDirectory(prefix="loom-wrk-") as folder:
            script = Path(folder) / "requests.lua"
            script.write_text(_SCRIPT % "\n".join(lua_text(call.raw(port)) + "," for call in calls), encoding="ascii")
            whole = max(1, math.ceil(seconds))
            options = ["--threads", "1", "--connections", str(connections), "--duration", f"{whole}s"]
            # A write that waits for a lock is slow, not lost.
            options += ["--timeout", "60s", "--script", str(script)]
            done = subprocess.run(
                [self.program, *options, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True
            )
        return _read(done.stdout)


def lua_text(data: bytes) -> str:
    """Bytes as a literal of Lua, which knows no other escapes than these."""
    return (
        '"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in data) + '"'
    )


def _read(output: str) -> Burst:
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    return Burst(
        answers=found["answers"],
        seconds=found["microseconds"] / 1e6,
        p50=found["p50"] / 1e6,
        p99=found["p99"] / 1e6,
        failed=found["failed"],
    )
