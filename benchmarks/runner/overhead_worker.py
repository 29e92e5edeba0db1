"""Submits a job and follows it to its end, in turns: by the bare calls of ADS, and by the runner.

python -m benchmarks.runner.overhead_worker ROUNDS
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jobs import auth
from jobs.clock import SystemClock
from jobs.definitions import Definition
from jobs.ledger import Ledger
from jobs.machines import Machines
from jobs.pipeline import Pipeline, Step
from jobs.record import Entry
from jobs.run_log import LogLine
from jobs.runner import Runner

from . import tenancy

INTERVAL = 0.25
_ENDED = {"SUCCEEDED", "FAILED", "CANCELED"}
_DEFINITION = """\
kind: job
spec:
  name: speed
  infrastructure:
    kind: infrastructure
    type: dataScienceJob
    spec:
      compartmentId: {compartment}
      projectId: {project}
      shapeName: VM.Standard.E4.Flex
      shapeConfigDetails: {{ocpus: 1, memoryInGBs: 16}}
      blockStorageSize: 50
  runtime:
    kind: runtime
    type: pyTorchDistributed
    spec:
      command: python -m speed
      replicas: 1
      conda: {{type: service, slug: pytorch28_p312_gpu_x86_64_v1}}
"""


class _Silent:
    """A view that shows nothing: what is measured is not the terminal."""

    def show(self, entry: Entry) -> None:
        pass

    def log(self, step: str, line: LogLine) -> None:
        pass

    def machines(self, step: str, found: Machines) -> None:
        pass

    def say(self, text: str) -> None:
        pass


def bare(text: str) -> None:
    """As a reader of ADS's documentation would."""
    from ads.jobs import Job

    run = Job.from_yaml(text).create().run()
    while run.sync().lifecycle_state not in _ENDED:
        time.sleep(INTERVAL)
    assert run.lifecycle_state == "SUCCEEDED", run.lifecycle_details


def by_the_runner(text: str, project: str, folder: Path) -> None:
    """With its ledger, its checks, its log; a pipeline of this step alone."""
    step = Step("stage", "job", ("stage.yaml",))
    pipeline = Pipeline("speed", "", tenancy.COMPARTMENT, project, "", (step,))
    clock = SystemClock()
    definition = Definition("stage", Path("stage.yaml"), text)
    ledger = Ledger(folder / "ledger.db", clock)
    runner = Runner(pipeline, {"stage": definition}, ledger, _Silent(), clock, INTERVAL)
    assert runner.run().need("stage").state == "SUCCEEDED"


def measure(rounds: int) -> dict[str, list[float]]:
    """The seconds of each; one round before them is not counted."""
    auth.sign_in()
    auth.sign_in_ads()
    project = tenancy.project(tenancy.science())
    text = _DEFINITION.format(compartment=tenancy.COMPARTMENT, project=project)
    taken: dict[str, list[float]] = {"bare": [], "runner": []}
    with tempfile.TemporaryDirectory(prefix="runner-speed-") as home:
        for number in range(rounds + 1):
            folder = Path(home) / str(number)
            # Another name each time: the runner goes on with what it finds.
            named = text.replace("name: speed", f"name: speed-{number}")
            ways: dict[str, Callable[[], None]] = {
                "bare": partial(bare, named),
                "runner": partial(by_the_runner, named, project, folder),
            }
            for way in list(ways)[:: 1 if number % 2 else -1]:
                started = time.monotonic()
                ways[way]()
                taken[way].append(time.monotonic() - started)
    return {way: seconds[1:] for way, seconds in taken.items()}


def main() -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        found = measure(int(sys.argv[1]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
