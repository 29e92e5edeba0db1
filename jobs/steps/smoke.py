"""The smoke test: one question to the deployment. It makes nothing in OCI."""

from __future__ import annotations

from ..clock import Clock
from ..errors import PredictionError
from ..idempotency import Submission
from ..predict import Prediction, predict
from ..record import Entry

TRIES = 5
"""How often a deployment is asked that gives no answer yet: the first request of a model loads its
kernels, and a load balancer may not know a new one."""
PAUSE = 15.0
"""Seconds between two of them."""
_LONGEST = 200  # characters of an answer that the ledger keeps


def ask(submission: Submission, served: Entry, question: str, clock: Clock) -> Entry:
    """The answer of the deployment *served*; FAILED, with why, where it gives none."""
    started = clock.now()
    entry = Entry(
        state="SUCCEEDED",
        ids={"deployment": served.ids["deployment"]},
        submitted=started,
        started=started,
        simulated=served.simulated,
        local=served.local,
        **{**submission.fields, "shape": ""},  # what it runs on is paid by the deployment
    )
    submission.note("asking", deployment=served.ids["deployment"])
    for tries in range(1, TRIES + 1):
        try:
            answer = predict(served, question)
        except PredictionError as error:
            entry = entry.changed(state="FAILED", details=error.what, finished=clock.now())
            if tries < TRIES:
                clock.sleep(PAUSE)
            continue
        return entry.changed(
            state="SUCCEEDED",
            details=_told(answer),
            simulated=answer.simulated,
            local=answer.local,
            finished=clock.now(),
        )
    return entry


def _told(answer: Prediction) -> str:
    text = " ".join(answer.text.split())
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"{short} ({answer.seconds * 1000:.0f} ms)"
