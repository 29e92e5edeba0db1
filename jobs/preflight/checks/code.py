"""What a job fetches before it starts: its code, and the packages that it wants installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ...definitions import Definition
from ..check import AGAIN, Finding, failed, passed, warned
from ..environments import Conda, conda_of
from ..git_refs import NoAnswerError, NotThereError, find
from ..pip_words import PipList, name_of, read
from ..resolved import keep, recall
from ..resolving import (
    PLATFORM,
    Resolution,
    UnreachableError,
    UnresolvableError,
    hidden,
    resolve,
)
from ..subject import Subject

JOBS = ("stage", "finetune", "merge")


class Git:
    """Whether the repository, and the commit or branch of it, can be fetched without a key."""

    name = "git"
    question = "Can the jobs fetch their code?"
    offline = False
    after: tuple[str, ...] = ()
    steps = JOBS

    def look(self, subject: Subject) -> Iterable[Finding]:
        wanted = {_source(job): job for job in _jobs(subject) if job.runtime.get("git")}
        if not wanted:
            return [passed("no job fetches code from a repository")]
        return [_fetched(job, *source) for source, job in wanted.items()]


class Packages:
    """Whether a resolver finds every package of each job's pip list for its Python."""

    name = "packages"
    question = "Do the pip lists resolve for the jobs' Python?"
    offline = False
    after: tuple[str, ...] = ()
    steps = JOBS

    def look(self, subject: Subject) -> Iterable[Finding]:
        wanted: dict[tuple[str, Conda], list[Definition]] = {}
        for job in _jobs(subject):
            if text := _pip_text(job):
                wanted.setdefault((text, conda_of(job)), []).append(job)
        if not wanted:
            return [passed("no job installs packages")]
        with ThreadPoolExecutor(len(wanted), thread_name_prefix="resolve") as pool:
            found = [
                pool.submit(_resolved, subject, text, conda, _names(jobs))
                for (text, conda), jobs in wanted.items()
            ]
        return [finding for each in found for finding in each.result()]


def _jobs(subject: Subject) -> Iterator[Definition]:
    for step in JOBS:
        yield from subject.of_step(step)


def _names(jobs: Iterable[Definition]) -> str:
    return ", ".join(job.path.name for job in jobs)


def _source(job: Definition) -> tuple[str, str, str, bool]:
    spec = job.runtime["git"]
    url, commit, branch = (str(spec.get(key) or "") for key in ("url", "commit", "branch"))
    return url, commit, branch, bool(spec.get("gitSecretId"))


def _fetched(job: Definition, url: str, commit: str, branch: str, has_key: bool) -> Finding:
    what = f"{hidden(url)} at {commit or branch or 'its default branch'}"
    if has_key:
        return warned(
            f"{what} was not looked for: {job.path.name} fetches it with a key from the Vault, "
            "which is not used here",
            f"Look yourself: git ls-remote {hidden(url)}",
        )
    try:
        find(url, commit=commit, branch=branch)
    except NotThereError as error:
        return failed(f"{job.path.name}: {error}", f"{error.remedy} Then {AGAIN}.")
    except NoAnswerError as error:
        return warned(f"{what} could not be looked for: {error}", error.remedy)
    return passed(f"{what} is there")


def _pip_text(job: Definition) -> str:
    return str((job.runtime.get("dependencies") or {}).get("pipPackages") or "")


def _resolved(subject: Subject, text: str, conda: Conda, names: str) -> list[Finding]:
    return list(_findings(subject, text, conda, names))


def _findings(subject: Subject, text: str, conda: Conda, names: str) -> Iterator[Finding]:
    python = conda.python
    if python is None:
        yield warned(
            f"{names}: nothing says which Python '{conda.name or 'no conda environment'}' has, so "
            "its pip list was not looked at",
            "Name one of Oracle's environments ('finetune: conda' in the tenancy file).",
        )
        return
    try:
        pip = read(text)
    except ValueError as error:
        yield failed(f"{names}: the pip list can't be read: {error}", "Close the quotation mark.")
        return
    torch = conda.known.torch if conda.known else None
    where = f"Python {python} of {conda.slug}"
    try:
        yield _told(*_asked(subject, pip, python, torch), names, where, torch)
    except UnresolvableError as error:
        yield failed(f"{names} does not resolve for {where}: {error}", _other(conda))
    except UnreachableError as error:
        yield warned(
            f"{names}: no package index could be asked: {error}",
            "Where this machine reaches one, name it in PIP_INDEX_URL, and look again.",
        )
    if pip.unread:
        yield warned(
            f"{names}: {', '.join(map(hidden, pip.unread))} is not from an index: only the node "
            "can look at it",
            "Where the index has a release of it, name that.",
        )


def _asked(
    subject: Subject, pip: PipList, python: str, torch: str | None
) -> tuple[Resolution, str]:
    """The resolution, and what is to be said of it beside; without the list's own indexes where
    they can't be reached and are not needed."""
    question = {
        "requirements": pip.requirements,
        "indexes": pip.indexes,
        "flags": sorted(pip.flags),
        "python": python,
        "platform": PLATFORM,
        "torch": torch,
    }
    now = subject.clock.now()
    found = recall(question, now)
    if found is not None:
        return found, ""
    try:
        found = _with(pip, pip.indexes, python, torch)
    except UnreachableError as error:
        if not pip.indexes:
            raise
        return _without_its_indexes(pip, python, torch, error)
    keep(question, found, now)
    return found, ""


def _without_its_indexes(
    pip: PipList, python: str, torch: str | None, error: UnreachableError
) -> tuple[Resolution, str]:
    """Not kept: it is not the whole answer."""
    try:
        found = _with(pip, (), python, torch)
    except UnresolvableError as why:
        raise UnreachableError(f"{error}. Without that one: {why}") from None
    return (
        found,
        f", without {' '.join(map(hidden, pip.indexes))}, which can't be reached from here",
    )


def _with(pip: PipList, indexes: tuple[str, ...], python: str, torch: str | None) -> Resolution:
    try:
        return resolve(pip.requirements, python, torch=torch, indexes=indexes, flags=pip.flags)
    except UnresolvableError:
        if torch is None:
            raise
        return resolve(pip.requirements, python, indexes=indexes, flags=pip.flags)


def _told(found: Resolution, beside: str, names: str, where: str, torch: str | None) -> Finding:
    other = found.packages.get("torch")
    if torch and other and other.version.partition("+")[0] != torch:
        return warned(
            f"{names}: pip would replace the environment's PyTorch {torch} with {other.version}, "
            "which may be built for another CUDA",
            f"Choose packages that go with torch=={torch}, or leave torch out of the list.",
        )
    if found.sources:
        return warned(
            f"{names}: {', '.join(found.sources)} has no wheel: each node builds it",
            f"Pin a release that has one: {', '.join(map(name_of, found.sources))}.",
        )
    return passed(f"{names}: {len(found.packages)} packages for {where}{beside}")


def _other(conda: Conda) -> str:
    """What to change: the list, or the environment's Python."""
    return (
        f"Pin releases that have wheels for Python {conda.python}; or give 'finetune: conda' in "
        f"the tenancy file an environment of the Python that these were released for. Then {AGAIN}."
    )
