"""What the runner does beside submitting: it leads, mirrors its ledger, looks, tidies and ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from jobs import machines, orphans, runtime_limit, states, weights
from jobs.auth import storage
from jobs.bucket_folder import BucketFolder
from jobs.definitions import bucket_path, read_all, read_pipeline
from jobs.leading import Leadership
from jobs.ledger import Ledger
from jobs.mirror import Mirror
from jobs.poller import Poller
from jobs.publishing import fetch, publish
from jobs.record import Entry
from tests.jobs.samples import OwnedClock


def keep_a_ledger(definitions: Path, home: Path) -> None:
    """Leads, writes the mirror twice and gives the lead back; then a new machine restores it."""
    uri, clock = read_pipeline(definitions).ledger, OwnedClock()
    said: list[str] = []
    mirror = Mirror(home / "ledger.db", BucketFolder(uri), clock, said.append)
    with Leadership(home, mirror, clock, said.append) as leadership:
        leadership.require()
        ledger = Ledger(mirror.path, clock, leadership.changed)
        ledger.begin("1" * 64)
        for number in range(2):
            clock.time += timedelta(minutes=5)
            ledger.note("looked", number=number)
            leadership.heartbeat()
        leadership.confirm()
        publish(mirror.folder, _texts(definitions))
    mirror.folder.tidy()
    assert said == []
    assert len(_versions(uri)) == len(set(_versions(uri))), "superseded versions are left"

    other = Mirror(home / "other.db", BucketFolder(uri), clock, said.append)
    other.restore()
    assert len(Ledger(other.path, clock).events()) == len(ledger.events())
    assert _texts(fetch(uri, home / "definitions")) == _texts(definitions)


def look(entries: list[Entry]) -> None:
    """All runs by one list, and the GPUs of one."""
    of_jobs = [entry for entry in entries if "job_run" in entry.ids]
    compartment = states.job_run(of_jobs[0]).compartment_id
    assert len(Poller(compartment).look(of_jobs)) == len(of_jobs)
    machines.look(next(entry for entry in of_jobs if "GPU" in entry.shape))


def ask_to_stop(definitions: Path, entry: Entry) -> None:
    """The request lies where the training looks for it."""
    namespace, bucket, name = bucket_path(
        runtime_limit.ask_to_stop(entry, read_all(definitions)["finetune"])
    )
    storage().head_object(namespace, bucket, name)


def clean(definitions: Path, records: Ledger) -> None:
    """Looks for orphans among all jobs, models and deployments; the ledger knows them all."""
    assert orphans.find(read_pipeline(definitions), records) == []


def delete_weights(definitions: Path) -> None:
    """Every version of all that the runs left in the bucket."""
    chosen = read_all(definitions)
    found = weights.find(chosen)
    assert found
    for leftovers in found:
        weights.delete(leftovers)
    assert weights.find(chosen) == []


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.yaml")}


def _versions(uri: str) -> list[str]:
    namespace, bucket, prefix = bucket_path(uri)
    listed = storage().list_object_versions(namespace, bucket, prefix=prefix).data.items
    return [each.name for each in listed]
