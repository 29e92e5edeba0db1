"""Whether everybody may make the calls that the pipeline will make."""

from __future__ import annotations

from ..check import Finding, passed
from ..iam_calls import calls
from ..iam_look import Look
from ..iam_places import Places
from ..iam_snapshot import snapshot
from ..subject import Subject


class Iam:
    """Whether the tenancy's policies allow the calls of everybody: evaluated here, with what the
    identity service tells; nothing is made."""

    name = "iam"
    question = "May everybody make the calls that the pipeline makes?"
    offline = False
    after = ("compartment",)
    steps: tuple[str, ...] = ()

    def look(self, subject: Subject) -> list[Finding]:
        places = Places(subject)
        places.look()
        every = calls(subject, places)
        if not every:
            return [passed("nothing is left to run, so no call is made")]
        used = dict.fromkeys([subject.pipeline.compartment_id])
        used |= dict.fromkeys(each.on.compartment for each in every)
        used |= dict.fromkeys(on.compartment for each in every for _, on in each.also)
        return list(Look(subject, places, every, snapshot(subject, tuple(used))).findings())
