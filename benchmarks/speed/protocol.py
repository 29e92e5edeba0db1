"""What a worker process and the benchmark say to each other: one line of JSON each way.

Standard library only: workers of either side import it under their own interpreter.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


def serve(operations: Mapping[str, Callable[..., Any]]) -> None:
    """Answer ``{"do": name, …arguments}`` from standard input until it ends.

    What fails is answered as ``{"error": …}``; the worker goes on.
    """
    # Libraries may print; the answers have the real standard output to themselves.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": operations[asked.pop("do")](**asked)}
        except Exception as fault:  # noqa: BLE001 - whatever it was, the benchmark names it
            answer = {"error": f"{type(fault).__name__}: {fault}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def rate(call: Callable[[], object], seconds: float, *, own_work: bool) -> float:
    """How often *call* runs in a second, measured for about *seconds* after a first, free run.

    :param own_work: all of it is done by this process: its processor time is taken, which on an
        idle machine is the same as real time, and on a busy one does not count what others do.
    """
    now = time.process_time if own_work else time.perf_counter
    call()
    gc.collect()
    count, spent = 0, 0.0
    started = now()
    while spent < seconds:
        call()
        count += 1
        spent = now() - started
    return count / spent
