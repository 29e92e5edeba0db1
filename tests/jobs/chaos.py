"""Kill ``jobs run`` with SIGKILL after each thing that it does and that lasts, then run it again.

A process of its own, which a test starts: it imports everything once and forks each trial, so that
a trial costs no import. What lasts is a change of the ledger that is on the disk (before its mirror
hears of it), and an answer of OCI to a POST, PUT or DELETE (before anybody hears of it).

Every trial is a tenancy of its own on one server: its keys, its ledger and its mirror are its own.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import oci
import yaml

from jobs import cli
from jobs.clock import SystemClock
from jobs.idempotency import KEY_TAG, STEP_TAG, TENANCY_TAG
from jobs.ledger import Ledger
from jobs.ledger_file import LedgerFile
from ocimock.served import ServedCloud
from tests.jobs import workbench
from tests.jobs.workbench import Workbench

# This many times as fast as the machine's clock: what the runner waits for is over sooner.
SPEED = 60.0
AT_ONCE = 2  # trials
CREATED = ("jobs", "jobRuns", "models", "modelDeployments")
FAULTS = (
    "503 on every 3rd GET /jobs",
    *(f"503 on every 5th POST /{each}" for each in CREATED),
    *(f"drop the answer of every 3rd POST /{each}" for each in CREATED),
)


@dataclass
class Effects:
    """Counts what lasts, and kills this process right after number *kill* of it."""

    kill: int
    told: Path
    seen: int = 0

    def happened(self, name: str) -> None:
        self.seen += 1
        with self.told.open("a") as file:
            file.write(f"{name}\n")
        if self.seen == self.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Have the ledger and the SDK tell of what they did."""
        self._ledger()
        self._sdk()

    def _ledger(self) -> None:
        making = LedgerFile.__init__
        effects = self

        def make(file: LedgerFile, path: Path, on_commit: Callable[[], None] | None = None) -> None:
            def committed() -> None:
                effects.happened(f"ledger: {_caller()}")
                if on_commit is not None:
                    on_commit()

            making(file, path, committed)

        LedgerFile.__init__ = make  # type: ignore[method-assign, assignment]

    def _sdk(self) -> None:
        calling = oci.base_client.BaseClient.call_api

        def call(client: Any, resource_path: str, method: str, **named: Any) -> Any:
            answer = calling(client, resource_path, method, **named)
            if method in {"POST", "PUT", "DELETE"} and "/search" not in resource_path:
                name = (named.get("path_params") or {}).get("objectName", "")
                if "/ledger/" not in str(name):
                    self.happened(f"{method} {resource_path}")
            return answer

        oci.base_client.BaseClient.call_api = call


def _caller() -> str:
    """The step and the name of the change that the ledger has just written down."""
    frame: Any = sys._getframe()
    while frame is not None:
        local, name = frame.f_locals, frame.f_code.co_name
        if name in {"note", "put", "begin", "_set"} and isinstance(local.get("self"), Ledger):
            entry = local.get("entry")
            what = [local.get("step", ""), local.get("name", ""), local.get("state", "")]
            return f"{name} {entry.step} {entry.state}" if entry else " ".join([name, *what])
        frame = frame.f_back
    return "?"


def _speed_up() -> None:
    """Let the runner's clock go :data:`SPEED` times as fast, and the SDK wait for nothing."""
    start = time.time()

    def now(clock: SystemClock) -> datetime:
        return datetime.fromtimestamp(start + (time.time() - start) * SPEED, UTC)

    def sleep(clock: SystemClock, seconds: float) -> None:
        time.sleep(seconds / SPEED)

    for name, owned in (("now", now), ("sleep", sleep)):
        setattr(SystemClock, name, owned)
    oci.retry.retry.time = workbench.owned_time([])


def main(home: Path, folder: Path) -> None:
    """All trials on the server that has its home in *home*; what came of them on stdout."""
    cloud = ServedCloud.at(home)
    os.environ.update(cloud.environment)
    bench = workbench.build(cloud)
    cloud.limits.set("ds-gpu-a10-count", 10_000)  # every trial leaves a deployment
    _import_all()
    whole = _trial(folder, bench, "whole", 0)
    _wait(whole)
    names = _told(folder, "whole")
    trials = {f"kill-{number}": number for number in range(1, len(names) + 1)}
    _all(folder, bench, trials)
    for rule in FAULTS:
        cloud.faults.add(rule)
    # An answer that was dropped is none: such a run counts fewer.
    faulty = {f"faulty-{number}": number for number in range(2, len(names) * 4 // 5, 7)}
    _all(folder, bench, faulty)
    struck = sum(rule.struck for rule in cloud.faults.rules)
    cloud.faults.clear()
    standing = _standing(cloud)
    outcomes = {
        name: {
            "killed after": _told(folder, name)[-1] if kill else "",
            "resources": standing.get(name),
            "ledger": _ledger(folder, name),
            "exit codes": json.loads((folder / name / "codes.json").read_text()),
        }
        for name, kill in {"whole": 0, **trials, **faulty}.items()
    }
    print(json.dumps({"boundaries": names, "struck": struck, "outcomes": outcomes}))


def _all(folder: Path, bench: Workbench, trials: dict[str, int]) -> None:
    """:data:`AT_ONCE` at a time, each a process."""
    waiting = iter(trials.items())
    running = {
        _trial(folder, bench, name, kill) for name, kill in itertools.islice(waiting, AT_ONCE)
    }
    while running:
        ended, _ = os.wait()
        running.discard(ended)
        for name, kill in itertools.islice(waiting, 1):
            running.add(_trial(folder, bench, name, kill))


def _trial(folder: Path, bench: Workbench, name: str, kill: int) -> int:
    """The process that runs a trial: a child that is killed, then one that must get to the end."""
    home = folder / name
    (home / "tenancies").mkdir(parents=True)
    (home / "tenancies" / "demo.yaml").write_text("")
    bench.write(home / "definitions" / "demo")
    for file in (home / "definitions" / "demo").iterdir():
        text = file.read_text().replace("tenancy: demo", f"tenancy: {name}")
        # Two that register at once would see each other's manifest in the making.
        for place in ("ledger/demo/", "merged/"):
            text = text.replace(f"ocimock/{place}", f"ocimock/{name}/{place}")
        file.write_text(text)
    return _fork(lambda: _lead(home, kill))


def _lead(home: Path, kill: int) -> None:
    codes = [_wait(_fork(lambda: _run(home, kill)))]
    if kill:
        codes.append(_wait(_fork(lambda: _run(home, 0))))
    (home / "codes.json").write_text(json.dumps(codes))


def _run(home: Path, kill: int) -> None:
    """``jobs run`` in *home*, to the end or to its death."""
    os.chdir(home)
    output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _speed_up()
    told = home / "effects"
    if not told.exists():
        Effects(kill, told).watch()
    code = cli.main(["run", "--interval", "0.1"])
    sys.stdout.flush()
    os._exit(code)


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except Exception:  # noqa: BLE001 - told, and nothing of the parent is run here
        traceback.print_exc()
    finally:
        os._exit(70)


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _import_all() -> None:
    """What a run imports while it runs."""
    from jobs.auth import sign_in, sign_in_ads

    sign_in()
    sign_in_ads()
    from ads.jobs import Job
    from ads.model.datascience_model import DataScienceModel
    from ads.model.deployment import ModelDeployment

    from jobs import machines, predict, run_commands, work
    from jobs.steps import deployment, job, model, smoke

    assert all((Job, DataScienceModel, ModelDeployment, run_commands, work))
    assert all((machines, predict, deployment, job, model, smoke))
    # A sixth of a trial was YAML read by Python.
    if hasattr(yaml, "CSafeLoader"):
        yaml.SafeLoader = yaml.CSafeLoader  # type: ignore[misc, assignment]


def _told(folder: Path, name: str) -> list[str]:
    return (folder / name / "effects").read_text().splitlines()


def _ledger(folder: Path, name: str) -> dict[str, Any]:
    """What the ledger says in the end, without times, OCIDs and keys; and how much of each kind it
    has ever heard of, also what is deleted by now."""
    ledger = Ledger(folder / name / ".tunestack" / "demo" / "ledger.db", SystemClock())
    kept = ("state", "simulated", "attempt", "definition", "shape", "replicas", "replaced")
    return {
        "pipelines": [(each.generation, each.state) for each in ledger.pipelines()],
        "made": dict(Counter(ocid.split(".")[1] for ocid in ledger.known())),
        "entries": {
            step: {name: getattr(entry, name) for name in kept} | {"ids": sorted(entry.ids)}
            for step, entry in ledger.read().entries.items()
        },
    }


def _standing(cloud: ServedCloud) -> dict[str, list[list[Any]]]:
    """What OCI has of each trial: kind, step, name without its key, state, whether it is whole."""
    science = workbench.science(cloud)
    found: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for kind, each, whole in _resources(science, cloud.compartment_id):
        tags = each.freeform_tags or {}
        key = tags.get(KEY_TAG, "")
        name = each.display_name.replace(key[:8], "KEY") if key else each.display_name
        found[tags.get(TENANCY_TAG, "")].append(
            [kind, tags.get(STEP_TAG, ""), name, each.lifecycle_state, whole]
        )
    return {name: sorted(each) for name, each in found.items()}


def _resources(science: Any, compartment: str) -> Iterator[tuple[str, Any, bool]]:
    """Each with its kind, and whether it has all that belongs to it."""
    all_of = oci.pagination.list_call_get_all_results
    for each in all_of(science.list_jobs, compartment).data:
        yield "job", each, _has(science.head_job_artifact, each.id)
    for each in all_of(science.list_job_runs, compartment).data:
        yield "job run", each, True
    for each in all_of(science.list_models, compartment).data:
        whole = _has(science.head_model_artifact, each.id)
        yield "model", each, whole and _has(science.get_model_provenance, each.id)
    for each in all_of(science.list_model_deployments, compartment).data:
        yield "deployment", each, True


def _has(ask: Callable[[str], Any], ocid: str) -> bool:
    try:
        ask(ocid)
    except oci.exceptions.ServiceError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
