"""What a plan says: configuration and prior state in, planned state out.

It follows the plugin SDK that the real provider is built on, which is laxer than the
protocol's newer style: an absent optional attribute equals its type's zero value, computed
attributes keep their prior value through an update, and an absent block that the service may
fill in keeps what the service filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ocimock.terraform import times
from ocimock.terraform.schema import Attribute, Block, NestedBlock
from ocimock.terraform.values import UNKNOWN, Value, is_zero

#: Where an attribute stands in its resource: its names joined by dots, without indices.
Path = str


@dataclass(frozen=True)
class Rules:
    """What the real provider knows of a resource type beyond its published schema."""

    #: Values for attributes that the configuration leaves out.
    defaults: Mapping[Path, Value] = field(default_factory=dict)
    #: Blocks whose absence means "none", not "whatever the service has".
    plain_blocks: frozenset[Path] = frozenset()
    #: What the state holds in place of the configured value (a checksum for a long text).
    state_forms: Mapping[Path, Callable[[Value], Value]] = field(default_factory=dict)
    #: Attributes whose letters' case does not matter.
    any_case: frozenset[Path] = frozenset()


def plan(block: Block, config: Value, prior: Value, rules: Rules) -> Value:
    """The planned state of a resource that is to exist. `prior` is null for one to create."""
    return _plan_block(block, config, prior, rules, "")


def differing(block: Block, planned: Value, prior: Value) -> list[str]:
    """The top-level attributes and blocks in which the two differ, by name."""
    names = [*block.attributes, *block.blocks]
    return [name for name in names if not same(planned.get(name), prior.get(name))]


def same(left: Value, right: Value) -> bool:
    """Equality of two values, in which an unknown equals nothing but itself."""
    if left is UNKNOWN or right is UNKNOWN:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _plan_block(block: Block, config: Value, prior: Value, rules: Rules, path: Path) -> Value:
    planned = {
        name: _plan_attribute(attribute, config.get(name), prior, name, rules, _join(path, name))
        for name, attribute in block.attributes.items()
    }
    for name, nested in block.blocks.items():
        before = None if prior is None else prior.get(name)
        planned[name] = _plan_nested(
            nested, config.get(name), before, prior is None, rules, _join(path, name)
        )
    return planned


def _plan_attribute(
    attribute: Attribute, config: Value, owner: Value, name: str, rules: Rules, path: Path
) -> Value:
    creating = owner is None
    before = None if creating else owner.get(name)
    if config is None:
        if path in rules.defaults:
            config = rules.defaults[path]
        elif attribute.computed:
            return UNKNOWN if creating else before
        else:
            return before if is_zero(before) else None
    wanted = _state_form(config, rules, path)
    if not creating and _equivalent(attribute, wanted, before, path in rules.any_case):
        return before
    return wanted


def _state_form(config: Value, rules: Rules, path: Path) -> Value:
    form = rules.state_forms.get(path)
    return config if form is None or config is UNKNOWN else form(config)


def _equivalent(attribute: Attribute, wanted: Value, before: Value, any_case: bool) -> bool:
    if same(wanted, before) or (is_zero(wanted) and is_zero(before)):
        return True
    if attribute.kind == "set":
        return _same_members(wanted, before)
    if isinstance(wanted, str) and isinstance(before, str):
        if any_case:
            return wanted.casefold() == before.casefold()
        return _same_number(wanted, before) or _same_moment(wanted, before)
    return False


def _same_members(left: Value, right: Value) -> bool:
    if not isinstance(left, list) or not isinstance(right, list) or len(left) != len(right):
        return False
    if UNKNOWN in left or UNKNOWN in right:
        return False
    return sorted(map(str, left)) == sorted(map(str, right))


def _same_number(left: str, right: str) -> bool:
    """Terraform carries 64-bit numbers as strings: "0050" is "50"."""
    return left.isdecimal() and right.isdecimal() and int(left) == int(right)


def _same_moment(left: str, right: str) -> bool:
    """A configured RFC 3339 time against the form in which the state holds it."""
    moments: list[datetime | None] = [times.parse(left), times.parse(right)]
    return moments[0] is not None and moments[0] == moments[1]


def _plan_nested(
    nested: NestedBlock, config: Value, before: Value, creating: bool, rules: Rules, path: Path
) -> Value:
    if config is UNKNOWN or nested.nesting == "single":
        return config
    if not config:
        return _plan_absent(nested, before, creating, rules, path)
    if nested.nesting == "set":
        return _plan_set(nested.block, config, before or [], rules, path)
    earlier: list[Value] = list(before or [])
    earlier += [None] * (len(config) - len(earlier))
    return [
        UNKNOWN if item is UNKNOWN else _plan_block(nested.block, item, old, rules, path)
        for item, old in zip(config, earlier, strict=False)
    ]


def _plan_absent(
    nested: NestedBlock, before: Value, creating: bool, rules: Rules, path: Path
) -> Value:
    if path in rules.plain_blocks or nested.min_items:
        return []
    if creating:
        return UNKNOWN
    return before if before is not None else []


def _plan_set(
    block: Block, config: list[Value], before: list[Value], rules: Rules, path: Path
) -> list[Value]:
    """A set's members have no place: each takes the first prior member that it does not change.

    Those keep the prior order, so that an unchanged set is an equal list.
    """
    left = list(enumerate(before))
    kept: list[int] = []
    new: list[Value] = []
    for item in config:
        match = next(
            (
                (place, old)
                for place, old in left
                if item is not UNKNOWN and same(_plan_block(block, item, old, rules, path), old)
            ),
            None,
        )
        if match is not None:
            left.remove(match)
            kept.append(match[0])
        elif item is UNKNOWN:
            new.append(item)
        else:
            new.append(_plan_block(block, item, None, rules, path))
    return [*(before[place] for place in sorted(kept)), *new]


def _join(path: Path, name: str) -> Path:
    return f"{path}.{name}" if path else name
