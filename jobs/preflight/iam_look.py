"""The calls of a pipeline held against a tenancy's policies, and what to add to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import auth
from .check import Finding, failed, passed, warned
from .iam_call import Call, Who
from .iam_places import Places
from .iam_snapshot import COMPARTMENTS, DYNAMIC_GROUPS, GROUPS, POLICIES, Snapshot
from .iam_statements import Statements, in_words, scope_of, subject_of, to_look
from .iam_words import folded, is_refused, uncertain
from .policies import Directory, Evaluator, Missing, Principal, with_rule
from .subject import Subject

# Source: OCI documentation, "Managing Groups".
_BORN_WITH = ("administrators", "all domain users")
_IN_STATEMENTS = {GROUPS: "group", DYNAMIC_GROUPS: "dynamic-group"}
_WHERE = (
    "Add to a policy in the tenancy's root compartment (console: Identity & Security > Policies), "
    "or deploy the identity stack anew:"
)
_LOOK = (
    "Ask somebody who may read policies to run 'python -m jobs preflight', or have this added in "
    "the root compartment:"
)


@dataclass(frozen=True)
class _Lacking:
    """What the principals of one kind lack."""

    who: Who
    principal: Principal
    missing: list[Missing]


class Look:
    """One look at all *every* calls."""

    def __init__(self, subject: Subject, places: Places, every: list[Call], seen: Snapshot) -> None:
        self._subject, self._places, self._every, self._seen = subject, places, every, seen
        self._region = auth.full_region(subject.pipeline.region)
        self._now = subject.clock.now().timestamp()
        self._scope = scope_of(subject, places, self._region)
        self._evaluator = self._evaluate(seen.directory)
        self._statements = self._look_up(seen.directory)

    def findings(self) -> Iterator[Finding]:
        unseen = [each for each in (POLICIES, COMPARTMENTS) if each in self._seen.blind]
        if unseen:
            yield self._blind(unseen, "the tenancy's policies can't be read")
            return
        found = list(self._lacks())
        if unread := self._evaluator.unread:
            yield warned(
                f"{len(unread)} statements and rules are not understood and count as absent: "
                + "; ".join(unread),
                "If one of them grants what is told as missing here, that is not missing.",
            )
        yield from found
        if not found:
            yield passed(
                f"the policies allow all {len(self._every)} kinds of calls{self._guesses()}"
            )

    def _guesses(self) -> str:
        """Where a thing is decides which policies are about it."""
        guessed = self._places.guessed
        if not guessed:
            return ""
        return f", if {' and '.join(guessed)}, not told of, are in the pipeline's compartment"

    def _lacks(self) -> Iterator[Finding]:
        if self._seen.caller is None:
            yield warned(
                "who is signed in can't be told from the session, so that what they may do "
                "was not looked at",
                "Sign in with an API key (OCI_IAM_TYPE=api_key).",
            )
        lacking = [each for each in map(self._lacking, Who) if each is not None]
        lost = [
            each
            for each in lacking
            if each.principal.kind == "resource"
            and not self._evaluator.dynamic_groups(each.principal)
            and any(is_refused(lack) for lack in each.missing)
        ]
        # One that can't be read may have them.
        if any(self._unseen(each.principal) for each in lost):
            lost = []
        if lost:
            yield from self._outside(lost)
        for each in lacking:
            if each not in lost:
                yield from self._told(each)

    def _lacking(self, who: Who) -> _Lacking | None:
        principal = self._principal(who)
        if principal is None:
            return None
        missing = [
            lack
            for call in self._every
            if call.who is who
            for lack in self._evaluator.missing(principal, call)
        ]
        return _Lacking(who, principal, missing) if missing else None

    def _principal(self, who: Who) -> Principal | None:
        if who is Who.SUBMITTER:
            return self._seen.caller
        if who is Who.DATA_SCIENCE:
            return Principal("service", "datascience")
        if who is Who.OBJECT_STORAGE:
            return Principal("service", f"objectstorage-{self._region}")
        kind = "datasciencejobrun" if who is Who.RUN else "datasciencemodeldeployment"
        ocid = f"ocid1.{kind}.oc1.{self._region}.still-to-be-made"
        claims = {"res_type": kind, "res_compartment": self._places.compartment, "res_id": ocid}
        return Principal("resource", ocid, claims)

    def _outside(self, lost: Sequence[_Lacking]) -> Iterator[Finding]:
        """No dynamic group has what runs: one cause, with the statements that it needs beside."""
        missing = [lack for each in lost for lack in each.missing]
        principals = [each.principal for each in lost]
        belonging = self._statements.membership(principals, missing)
        directory = with_rule(self._seen.directory, belonging.group)
        joined, then = self._evaluate(directory), self._look_up(directory)
        added: list[str] = []
        for each in lost:
            left = [lack for lack in each.missing if not joined.grants(each.principal, lack)]
            added += then.of(each.principal, left, self._group, belonging.group.id)
        remedy = belonging.told
        if added:
            texts = (in_words(text, belonging.group.name) for text in dict.fromkeys(added))
            remedy = "\n".join([remedy, _WHERE, *texts])
        who = " and ".join(each.who.value for each in lost)
        yield failed(
            f"no dynamic group's rule matches {who} of compartment {self._places.compartment}, "
            f"which may not {folded(missing)}",
            remedy,
        )

    def _told(self, each: _Lacking) -> Iterator[Finding]:
        who = each.who.value
        words = self._evaluator.words(each.principal)
        who = words if each.principal.kind == "service" else f"{who} ({words})"
        denied = [lack for lack in each.missing if lack.denied_by]
        if denied:
            texts = list(dict.fromkeys(lack.denied_by for lack in denied))
            yield failed(
                f"{who} may not {folded(denied)}: denied",
                "\n".join(["Take back or narrow, where it is written:", *texts]),
            )
        yield from uncertain(who, each.missing)
        refused = [lack for lack in each.missing if is_refused(lack)]
        grave = [lack for lack in refused if not lack.call.spared]
        if refused and (unseen := self._unseen(each.principal)):
            yield self._blind(unseen, f"whether {who} may {folded(refused)} can't be told")
            return
        if grave:
            yield failed(f"{who} may not {folded(grave)}", self._remedy(each, grave))
        spared = [lack for lack in refused if lack.call.spared]
        if spared:
            said = f"{who} may not {folded(spared)}; {spared[0].call.spared}"
            yield warned(said, self._remedy(each, spared))

    def _remedy(self, each: _Lacking, missing: list[Missing]) -> str:
        texts = self._statements.of(
            each.principal, missing, self._group, self._dynamic_group(each.principal)
        )
        remedy = "\n".join([_WHERE, *texts])
        if each.principal.kind == "user" and not self._seen.directory.groups:
            return f"You are in no group: join one (Identity & Security > Domains). {remedy}"
        return remedy

    def _unseen(self, principal: Principal) -> list[str]:
        """What could not be read, and may hold what *principal* seems to lack."""
        wanted = {"user": GROUPS, "resource": DYNAMIC_GROUPS}.get(principal.kind, "")
        if wanted and self._evaluator.foreign_domains(_IN_STATEMENTS[wanted]):
            return [wanted]
        return [wanted] if wanted in self._seen.blind else []

    def _blind(self, unseen: Sequence[str], said: str) -> Finding:
        words = [self._seen.blind[each] for each in unseen if each in self._seen.blind]
        if not words:
            return self._foreign(unseen[0], said)
        caller = self._seen.caller
        groups = [self._group] if self._seen.directory.groups else []
        dynamic = self._dynamic_group(caller) if caller else ""
        types = [*unseen, *(["users"] if GROUPS in unseen else [])]
        texts = to_look(subject_of(caller, groups, dynamic), types)
        return warned(f"{said}: {' '.join(words)}", "\n".join([_LOOK, *texts]))

    def _foreign(self, unseen: str, said: str) -> Finding:
        kind = _IN_STATEMENTS[unseen]
        names = ", ".join(self._evaluator.foreign_domains(kind))
        who = "you are" if unseen == GROUPS else "what runs is"
        return warned(
            f"{said}: statements name {kind.replace('-', ' ')}s of other identity domains "
            f"({names}), whose members this API does not tell",
            f"Look in the console whether {who} in one of them (Identity & Security > Domains); "
            "nothing else is to be done.",
        )

    @property
    def _group(self) -> str:
        """The person's group that statements are to name: one that some do already, if any, and
        none that a tenancy is born with."""
        own = self._seen.directory.groups
        others = [group for group in own if group.name.casefold() not in _BORN_WITH]
        about = list(filter(self._evaluator.names, others))
        return next((group.name for group in about or others or own), "<one that you are in>")

    def _dynamic_group(self, principal: Principal) -> str:
        """The one that *principal* is in and statements are about, else any that it is in."""
        if principal.kind != "resource":
            return self._workloads
        own = self._evaluator.dynamic_groups(principal)
        about = list(filter(self._evaluator.names, own))
        return next((each.id for each in about or own), "")

    @property
    def _workloads(self) -> str:
        run = self._principal(Who.RUN)
        return self._dynamic_group(run) if run else ""

    def _evaluate(self, directory: Directory) -> Evaluator:
        return Evaluator(directory, self._region, self._now)

    def _look_up(self, directory: Directory) -> Statements:
        name = self._subject.pipeline.tenancy
        return Statements(directory, self._region, self._now, self._scope, name)
