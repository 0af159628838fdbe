"""One program as a process: ``python -m benchmarks.rest.serve seed|serve <program> <database url> <number>``.

``serve`` takes a port, ``seed`` the number of tickets. Every program has the same server: uvicorn, one worker, uvloop
and httptools, no access log.
"""

import importlib
import sys

import attrs

from benchmarks.rest.data import Amount


def main() -> None:
    action, program, url, number = sys.argv[1:]
    module = importlib.import_module(f"benchmarks.rest.programs.{program}")
    if action == "seed":
        module.seed(url, attrs.evolve(Amount(), tickets=int(number)))
        return
    import uvicorn

    uvicorn.run(
        module.build(url),
        host="127.0.0.1",
        port=int(number),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
