"""What the jobs run in: their conda environments."""

from __future__ import annotations

from collections.abc import Iterator

from sizing.shapes import gpu_shapes

from ...definitions import Definition, bucket_path
from ...errors import DefinitionError, RefusedError
from .. import environments
from ..check import AGAIN, Finding, State, failed, passed, warned
from ..environments import Conda, conda_of
from ..subject import Subject

JOBS = ("stage", "finetune", "merge")
_EXPLORER = "Environment Explorer of a notebook session lists those of your region"
_NOT_FOUND = 404


class CondaEnvironments:
    """Whether the environments that the jobs name can be had, and go with their shapes."""

    name = "conda"
    question = "Can the jobs have their conda environments?"
    right = "read objects in compartment …"
    offline = True
    after: tuple[str, ...] = ()
    steps = JOBS

    def look(self, subject: Subject) -> Iterator[Finding]:
        wanted: dict[tuple[Conda, bool], list[Definition]] = {}
        for step in JOBS:
            for job in subject.of_step(step):
                # The staging needs no GPU, whatever it runs on.
                on_gpu = step != "stage" and job.shape in gpu_shapes()
                wanted.setdefault((conda_of(job), on_gpu), []).append(job)
        # What asks OCI, and may be refused, after what does not.
        for (conda, on_gpu), jobs in sorted(
            wanted.items(), key=lambda one: one[0][0].kind == "published"
        ):
            yield from _environment(subject, conda, on_gpu, jobs)


def _environment(
    subject: Subject, conda: Conda, on_gpu: bool, jobs: list[Definition]
) -> Iterator[Finding]:
    names = ", ".join(job.path.name for job in jobs)
    if not conda.name:
        yield passed(f"{names}: no conda environment.")
        return
    if conda.kind == "published":
        yield _published(subject, conda, names)
        return
    known = conda.known
    if on_gpu and (not known.gpu if known else "_cpu_" in conda.slug):
        yield failed(
            f"{names}: {conda.slug} is for CPUs, without a GPU's libraries; {jobs[0].shape} has "
            "GPUs.",
            f"Set 'finetune: conda: {environments.active(gpu=True)}' in the tenancy file, or leave "
            f"it out; then {AGAIN}.",
        )
    elif known is None:
        near = environments.nearest(conda.slug)
        did_you = f"Did you mean {near}? " if near else ""
        yield warned(
            f"{names}: {conda.slug} is none of the environments that were known on "
            f"{environments.dated()}.",
            f"{did_you}{_EXPLORER}.",
        )
    elif known.state != "active":
        yield warned(
            f"{names}: {conda.slug} is {known.state}: Oracle hides it from tenancies that did not "
            "use it before.",
            f"{_EXPLORER}; if it is not there, leave 'finetune: recipe' and 'conda' at their "
            f"defaults ({environments.active(gpu=True)}).",
        )
    else:
        yield passed(f"{names}: {conda.slug}, Python {known.python}.")


def _published(subject: Subject, conda: Conda, names: str) -> Finding:
    """One of the tenancy's own: an archive in a bucket.

    Raises RefusedError and UnreachableError.
    """
    from oci.object_storage import ObjectStorageClient

    if subject.offline:
        return Finding(State.SKIPPED, f"{names}: to look for {conda.name} needs the network")
    try:
        namespace, bucket, name = bucket_path(conda.name)
    except DefinitionError as error:
        return failed(f"{names}: {error.what}", "Write it as oci://BUCKET@NAMESPACE/PATH.")
    client = subject.client(ObjectStorageClient, conda.region)
    try:
        subject.get(f"look for {conda.name}", client.head_object, namespace, bucket, name)
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        # OCI says the same of what may not be seen; who may list the bucket knows.
        subject.get(
            f"list {conda.name}", client.list_objects, namespace, bucket, prefix=name, limit=1
        )
        return failed(
            f"{names}: there is no {conda.name}.",
            "Publish it from a notebook session ('odsc conda publish -s SLUG'), or name another.",
        )
    return passed(f"{names}: {conda.name} is there.")
