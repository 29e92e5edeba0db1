"""Why a step failed: the cause, from OCI's words for its end and from the log of all its nodes.

Of a lost node the others' errors are only consequences, and there are many of them: the first line
that names a cause of its own decides. Where nothing does, cost decides. A run that never started
has cost nothing, so it is taken for OCI's failure and tried again; one whose code ran is taken for
the code's failure, and stops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .errors import OUT_OF_CAPACITY, JobsError, RefusedError, UnreachableError
from .failure import LINES, cut, decisive, exceptions, is_consequence, is_telling
from .policy import Cause, Failure
from .record import Entry

GPU_MEMORY = (
    "A GPU ran out of memory: a smaller batch_size or max_length, gradient checkpointing, or a "
    "shape with larger GPUs in the tenancy file."
)
HOST_MEMORY = (
    "A process was killed, most likely because its node ran out of memory: a shape with more "
    "memory, or fewer processes, in the tenancy file."
)
DISK = "More block storage (block_storage_gb) in the tenancy file."
LIMIT = "Ask for a higher service limit in the console, or choose another shape or fewer nodes."
IMAGE = "Check the image's path and tag, and the policy that lets the run's dynamic group read it."
GRANT = (
    "Check what the message names, and the policies of the runs' dynamic group; a new policy takes "
    "some minutes to work."
)
SERVER = "Read the deployment's log: 'python -m jobs logs deploy'."


@dataclass(frozen=True)
class _Rule:
    """Words that name a cause."""

    words: re.Pattern[str]
    cause: Cause
    advice: str = ""


def _rule(words: str, cause: Cause, advice: str = "") -> _Rule:
    return _Rule(re.compile(words, re.IGNORECASE), cause, advice)


_CAPACITY = _rule(
    r"out of (host )?capacity|insufficient (host )?capacity|no (available )?capacity",
    Cause.CAPACITY, OUT_OF_CAPACITY,
)  # fmt: skip
_LIMITS = _rule(
    r"LimitExceeded|QuotaExceeded|(service |compartment )?(limits?|quotas?) (was|were|is|are|has "
    r"been|have been)? ?(exceeded|reached)|exceeds? .{0,40}(limit|quota)"
    r"|\b(limit|quota) .{0,40}(exceeded|reached)",
    Cause.REFUSED, LIMIT,
)  # fmt: skip
_TOO_LONG = _rule(
    r"(exceed|reach)\w* (the |its )?max(imum)? ?(run ?time|duration)|maximumRuntimeInMinutes"
    r"|max(imum)? run ?time (was |has been )?(exceeded|reached)", Cause.MAXIMUM_RUNTIME,
)  # fmt: skip
# What OCI says of an end, in lifecycleDetails and in a work request's errors. The first decides.
_SAID = (
    _CAPACITY,
    _TOO_LONG,
    _LIMITS,
    _rule(r"ocimock ended while it ran|a fault of ocimock itself", Cause.INFRASTRUCTURE),
    _rule(r"used more memory than", Cause.USER_CODE, HOST_MEMORY),
    _rule(r"wrote more than its .* of block storage", Cause.USER_CODE, DISK),
    _rule(r"\bnode \d+ (of \S+ )?was (killed|stopped|lost)", Cause.INFRASTRUCTURE),
    _rule(r"image .{0,80}(timed? ?out|timeout)", Cause.INFRASTRUCTURE),
    _rule(
        r"(pull|download|access|verify|nothing says what)\w* .{0,40}image|image .{0,80}(not found"
        r"|not exist|cannot|can't|unable|denied|unauthorized)", Cause.REFUSED, IMAGE,
    ),
    _rule(
        r"log group is not found|not authorized|NotAuthorized|unauthorized|permission|polic(y|ies)"
        r"|may not\b|can't be mounted|has no (artifact|file)|does not exist|not found"
        r"|is an archive, and", Cause.REFUSED, GRANT,
    ),
    _rule(
        r"web ?server|health ?check|GET /health|before it was healthy|server (ended|could not be "
        r"started)", Cause.USER_CODE, SERVER,
    ),
    _rule(r"(answered|http) 5\d\d|did not answer within|could not be reached",
          Cause.INFRASTRUCTURE, SERVER),
    _rule(
        r"internal ?(server ?|service ?)?error|service (error|issue|failure)|infrastructure "
        r"(provisioning )?fail|(instance|host|node|hardware) (was |has been )?(terminated|failed"
        r"|failure|lost|unreachable|rebooted|preempted)|maintenance|temporar(y|ily)",
        Cause.INFRASTRUCTURE,
    ),
)  # fmt: skip
# What a log says. Sources: NVIDIA's list of Xid errors (48, 63, 64, 94, 95: memory; 62, 74, 79,
# 119: the GPU or its link); the CUDA runtime's names of errors; torchrun's table of failures.
_LOGGED = (
    _rule(
        r"uncorrectable ECC error|cudaErrorECCUncorrectable|cudaErrorNvlinkUncorrectable"
        r"|Xid \(PCI:[^)]*\): (48|62|63|64|74|79|94|95|119)\b|fallen off the bus"
        r"|cudaErrorDevicesUnavailable|unable to determine the device handle",
        Cause.INFRASTRUCTURE,
    ),
    _rule(r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED", Cause.USER_CODE,
          GPU_MEMORY),
    _rule(r"\(?exitcode\s*: -9\b|Signal 9 \(SIGKILL\) received by|Out of memory: Killed process"
          r"|oom-kill", Cause.USER_CODE, HOST_MEMORY),
    _rule(r"No space left on device", Cause.USER_CODE, DISK),
)  # fmt: skip
# The network's troubles. Programs try again, and say so: such a line decides where nothing else
# does, and an exception of this kind where it is one.
_NETWORK = (
    _rule(
        r"Temporary failure in name resolution|Could not resolve host|Max retries exceeded with url"
        r"|(502|503|504) (Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)"
        r"|early EOF|RPC failed; (curl|HTTP 5)", Cause.INFRASTRUCTURE,
    ),
)  # fmt: skip
_OWN = _rule("", Cause.USER_CODE)
# How recipes.sft says why a rank failed: by itself, and by the others, whose nodes may live longer.
_TOLD = re.compile(r"sft: rank \d+ (?:of \d+ on \S+|ends: rank \d+) failed: (?P<why>.*)")
_EXIT_CODE = re.compile(r"exit code (-?\d+)")
# How recipes.sft says that it was stopped; without a word in brackets it was by a signal.
_STOPPED = re.compile(r"sft: told to stop(?: \((?P<by>[^)]*)\))?; did \d+ steps; saved")
BY_RUNTIME = "maximum runtime"
BY_PERSON = "asked by a person"
_STOPPED_BY = {BY_RUNTIME: Cause.MAXIMUM_RUNTIME, BY_PERSON: Cause.CANCELED}
_ENDED_BY_HAND = ("CANCELED", "DELETED", "INACTIVE")
# Exit codes of a signal, as a shell and as Python tell them.
_KILLED, _TERMINATED = (137, -9), (143, -15)


def classify(entry: Entry, lines: Sequence[str] = ()) -> Failure:
    """Why a step that ended badly did; *lines* are its log, of all nodes, the oldest first."""
    reason = entry.details or f"{entry.state} without a word."
    shown = tuple(decisive(lines)) if lines else ()
    failure = Failure(Cause.USER_CODE, reason, shown)
    if entry.state in _ENDED_BY_HAND:
        too_long = _TOO_LONG.words.search(entry.details)
        return replace(failure, cause=Cause.MAXIMUM_RUNTIME if too_long else Cause.CANCELED)
    if stopped := next((found for line in lines if (found := _STOPPED.search(line))), None):
        cause = _STOPPED_BY.get(stopped["by"] or "", Cause.STOPPED)
        return replace(failure, cause=cause)
    if said := _first(_SAID, entry.details):
        return replace(failure, cause=said.cause, advice=said.advice)
    code = _exit_code(entry.details)
    if code is None and entry.started is None:
        return replace(failure, cause=Cause.INFRASTRUCTURE)
    return _by_log(failure, lines) or _by_exit_code(failure, code)


def of_error(error: JobsError) -> Failure:
    """Why a submission was turned away: nothing was made, and nothing is to be paid."""
    failure = Failure(Cause.REFUSED, error.what, advice=error.advice, submitted=False)
    if _CAPACITY.words.search(error.what):
        return replace(failure, cause=Cause.CAPACITY, advice=OUT_OF_CAPACITY)
    if isinstance(error, UnreachableError):
        return replace(failure, cause=Cause.INFRASTRUCTURE)
    if isinstance(error, RefusedError) and (error.passing or error.status == 409):
        return replace(failure, cause=Cause.INFRASTRUCTURE)
    return failure


def _by_log(failure: Failure, lines: Sequence[str]) -> Failure | None:
    """The first cause in the log; a lost peer where there are only consequences."""
    found = sorted(_causes(lines, _LOGGED), key=lambda each: each[0])
    if found := found or list(_causes(lines, _NETWORK)):
        number, rule = found[0]
        cause = replace(failure, cause=rule.cause, advice=rule.advice)
        return _showing(cause, lines[number])
    lost = [line for line in lines if is_consequence(line)]
    if not lost:
        return None
    first = next((line for line in lost if is_telling(line)), lost[0])
    return _showing(replace(failure, cause=Cause.INFRASTRUCTURE), first)


def _causes(lines: Sequence[str], rules: Sequence[_Rule]) -> Iterator[tuple[int, _Rule]]:
    """The lines, by number, that name a cause of their own: by *rules*, or as a failure's why."""
    for number, line in enumerate(lines):
        told = _TOLD.search(line)
        text = told["why"] if told else line
        if is_consequence(text):
            continue
        of_its_own = _first(_NETWORK, text) or _OWN if told else None
        if rule := _first(rules, text) or of_its_own:
            yield number, rule
    for number, exception in exceptions(lines):
        yield number, _first((*_LOGGED, *_NETWORK), exception) or _OWN


def _by_exit_code(failure: Failure, code: int | None) -> Failure:
    if code in _KILLED:
        return replace(failure, advice=HOST_MEMORY)
    if code in _TERMINATED:
        return replace(failure, cause=Cause.INFRASTRUCTURE)
    return failure


def _first(rules: Sequence[_Rule], text: str) -> _Rule | None:
    return next((rule for rule in rules if rule.words.search(text)), None)


def _exit_code(details: str) -> int | None:
    found = _EXIT_CODE.search(details)
    return int(found[1]) if found else None


def _showing(failure: Failure, line: str) -> Failure:
    """The failure with *line* among those that a reader is shown."""
    if cut(line) in failure.lines:
        return failure
    return replace(failure, lines=(cut(line), *failure.lines)[:LINES])
