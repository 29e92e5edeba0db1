"""The comment under a pull request: what it would change, and above all what it would destroy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from .changes import LOSES, Action, Attribute, Change, OutputChange, shortened
from .markdown import Section, code, details, fenced, page, row
from .planning import StackPlan

COMMENT = "comment.md"
DRIFT = "drift.md"

_WORDS = {
    Action.DESTROY: "**destroy**",
    Action.REPLACE: "**replace**",
    Action.CHANGE: "change",
    Action.CREATE: "create",
    Action.IMPORT: "import",
    Action.FORGET: "forget",
}
_MOST_LOSSES = 100
_MOST_ATTRIBUTES = 12


def marker(kind: str, tenancy: str) -> str:
    """A line that nobody sees, by which the next run finds its comment or its issue again."""
    return f"<!-- tunestack {kind}: {tenancy} -->"


def plan_comment(tenancy: str, plans: Sequence[StackPlan]) -> str:
    """What the plans would do, for the people who review it."""
    return page(
        [
            _heading(tenancy, plans),
            *_losses(plans),
            *_errors(plans),
            _overview(plans),
            *_tables(plans),
            *_outputs(plans),
        ],
        COMMENT,
    )


def tables(title: str, resources: Sequence[Change]) -> Section:
    """A folded-up table of changes."""
    head = "| | resource | attributes |\n|---|---|---|"
    lines = (row([_WORDS[c.action], code(c.address), _attributes(c)]) for c in resources)
    return details(title, lines, head=head)


def _heading(tenancy: str, plans: Sequence[StackPlan]) -> Section:
    return Section(
        (marker("plan", tenancy), f"## Plan of {code(tenancy)}: {_summary(plans)}"),
    )


def _summary(plans: Sequence[StackPlan]) -> str:
    if any(plan.error for plan in plans):
        return "it failed"
    if all(plan.empty for plan in plans):
        return "no changes"
    said = [
        f"{number} to {_WORDS[action]}"
        for action in reversed(Action)
        if (number := sum(plan.count(action) for plan in plans))
    ]
    waiting = sum(bool(plan.waits_for) for plan in plans)
    said += [f"{waiting} of {len(plans)} stacks can't be planned yet"] if waiting else []
    return ", ".join(said) or "outputs only"


def _losses(plans: Sequence[StackPlan]) -> Iterable[Section]:
    lines = [
        f"> - {_WORDS[change.action]} {code(change.address)} of {plan.stack.name}{_forced(change)}"
        for plan in plans
        for change in plan.resources
        if change.action in LOSES
    ]
    if not lines:
        return
    more = [f"> - and {len(lines) - _MOST_LOSSES} more"] if len(lines) > _MOST_LOSSES else []
    title = f"> **{len(lines)} would be destroyed, with what they hold:**\n>"
    yield Section(("> [!CAUTION]", title, *lines[:_MOST_LOSSES], *more))


def _forced(change: Change) -> str:
    forcing = [code(each.name) for each in change.attributes if each.forces]
    return f", because of {', '.join(forcing)}" if forcing else ""


def _errors(plans: Sequence[StackPlan]) -> Iterable[Section]:
    for plan in plans:
        if plan.error:
            yield fenced(f"{plan.stack.name}: <b>failed</b>", "text", plan.error.splitlines())


def _overview(plans: Sequence[StackPlan]) -> Section:
    columns = (Action.CREATE, Action.CHANGE, Action.REPLACE, Action.DESTROY)
    lines = [row(["stack", *columns, ""]), row(["---"] * 6)]
    for plan in plans:
        counts = [str(plan.count(action) or "") for action in columns]
        lines.append(row([plan.stack.name, *counts, _remark(plan)]))
    return Section(tuple(lines))


def _remark(plan: StackPlan) -> str:
    if plan.error:
        return "failed"
    if plan.waits_for:
        return f"waits for {' and '.join(plan.waits_for)}, whose outputs it needs"
    if plan.follows:
        return f"will be planned anew: {' and '.join(plan.follows)} will have other outputs"
    return "no changes" if plan.empty else ""


def _tables(plans: Sequence[StackPlan]) -> Iterable[Section]:
    for plan in plans:
        if plan.resources:
            yield tables(f"{plan.stack.name}: {len(plan.resources)} resources", plan.resources)


def _attributes(change: Change) -> str:
    shown = [_attribute(each) for each in change.attributes[:_MOST_ATTRIBUTES]]
    more = len(change.attributes) - len(shown)
    return "<br>".join([*shown, *([f"and {more} more"] if more else [])])


def _attribute(change: Attribute) -> str:
    why = " (forces it)" if change.forces else ""
    return f"{code(change.name)}: {code(change.before)} → {code(change.after)}{why}"


def _outputs(plans: Sequence[StackPlan]) -> Iterable[Section]:
    all_of_them = [(plan, change) for plan in plans for change in plan.outputs]
    folders = [each for each in all_of_them if _is_folder(each[1])]
    scalar = [each for each in all_of_them if not _is_folder(each[1])]
    head = "| output | before | after |\n|---|---|---|"
    lines = [
        row([f"{plan.stack.name}: {code(change.name)}", *_cells(change)]) for plan, change in scalar
    ]
    if lines:
        yield details(f"{len(lines)} outputs", lines, head=head)
    for plan, change in folders:
        yield from _files(plan.stack.name, change)


def _cells(change: OutputChange) -> list[str]:
    both = (change.before, change.after)
    return [
        "" if value is None else code(text)
        for value, text in zip(both, shortened(*both), strict=True)
    ]


def _is_folder(change: OutputChange) -> bool:
    """Whether it maps file names to texts, as the definitions do."""
    return any(isinstance(value, Mapping) for value in (change.before, change.after))


def _files(stack: str, change: OutputChange) -> Iterable[Section]:
    before, after = (
        value if isinstance(value, Mapping) else {} for value in (change.before, change.after)
    )
    for name in sorted({*before, *after}):
        old, new = str(before.get(name, "")), str(after.get(name, ""))
        if old != new:
            compared = difflib.unified_diff(
                old.splitlines(), new.splitlines(), name, name, lineterm=""
            )
            yield fenced(f"{stack}: {change.name}/{name}", "diff", list(compared))
