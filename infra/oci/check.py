"""Arguments against the provider's schema, before Terraform ever sees them.

Types alone do not catch everything: a dict in a list of blocks may carry a misspelt key, and the
bindings that CDKTF generates drop such a key silently (a misspelt ``tcp_options`` opens every
port).
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from constructs import Construct

from infra.oci.schema import AttributeType, Block, NestedBlock

_PRIMITIVES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "bool": (bool,),
}


def problems(
    block: Block, arguments: Mapping[str, Any], path: str = "", meta: Sequence[str] = ()
) -> Iterator[str]:
    """One sentence per argument that the provider would not take; none if all is well.

    ``meta`` names what may be written beside the block's own, for the hint at a misspelt one.
    """
    for name, value in arguments.items():
        if value is None:
            continue
        yield from _argument(block, name, value, _join(path, name), meta)
    for name in block.required:
        if arguments.get(name) is None:
            yield f"{_join(path, name)}: missing; the provider requires it"


def clean(value: Any) -> Any:
    """The value without its ``None`` entries, so that Terraform sees only what was written."""
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    return value


def is_token(value: Any, container: str = "") -> bool:
    """Whether CDKTF or Terraform resolves the value later, so that its type is not known yet.

    ``container`` is what the schema wants there (``list``, ``set``, ``map``, ``object``), empty
    for a single value: a list that is one token stands for a list only.
    """
    if isinstance(value, str):
        return "${" in value or "TfToken[" in value
    if isinstance(value, Mapping):
        keys = list(value)
        return container in ("map", "object") and len(keys) == 1 and _is_marked(keys[0])
    if isinstance(value, Sequence):
        return container in ("list", "set") and len(value) == 1 and _is_marked(value[0])
    return is_resolvable(value)


def is_resolvable(value: Any) -> bool:
    """Whether it is one of CDKTF's expressions; a resource, say, is none: its ``id`` is."""
    return hasattr(value, "__jsii_ref__") and not isinstance(value, Construct)


def _is_marked(value: Any) -> bool:
    return isinstance(value, str) and "TfToken[" in value


def _argument(block: Block, name: str, value: Any, path: str, meta: Sequence[str]) -> Iterator[str]:
    if nested := block.blocks.get(name):
        yield from _nested(nested, value, path)
        return
    attribute = block.attributes.get(name)
    if attribute is None:
        yield f"{path}: no such argument{_nearest(name, [*block.settable, *meta])}"
        return
    if not attribute.settable:
        yield f"{path}: computed by OCI, it can be read but not set{_nearest(name, block.settable)}"
        return
    yield from _typed(attribute.type, value, path)


def _typed(kind: AttributeType, value: Any, path: str) -> Iterator[str]:
    if is_token(value, "" if isinstance(kind, str) else kind[0]):
        return
    if isinstance(kind, str):
        if not _is_primitive(kind, value):
            yield f"{path}: found {_shown(value)}; allowed: {_described(kind)}"
        return
    container, element = kind
    if container in ("list", "set"):
        if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
            yield f"{path}: found {_shown(value)}; allowed: {_described(kind)}"
            return
        for index, item in enumerate(value):
            yield from _typed(element, item, f"{path}[{index}]")
        return
    if not isinstance(value, Mapping):
        yield f"{path}: found {_shown(value)}; allowed: {_described(kind)}"
        return
    for key, item in value.items():
        if container == "map":
            yield from _typed(element, item, f"{path}.{key}")
        elif key in element:
            yield from _typed(element[key], item, f"{path}.{key}")
        else:
            yield f"{path}.{key}: no such key; allowed: {', '.join(sorted(element))}"


def _nested(nested: NestedBlock, value: Any, path: str) -> Iterator[str]:
    # No token passes: Terraform's JSON takes no expression where a block has to stand.
    if isinstance(value, Mapping):
        if not nested.single:
            yield f"{path}: found one block; allowed: a list of blocks"
            return
        yield from problems(nested.block, value, path)
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        yield f"{path}: found {_shown(value)}; allowed: a block (a dict)"
        return
    yield from _block_count(nested, len(value), path)
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            yield from problems(nested.block, item, f"{path}[{index}]")
        else:
            yield f"{path}[{index}]: found {_shown(item)}; allowed: a block (a dict)"


def _block_count(nested: NestedBlock, count: int, path: str) -> Iterator[str]:
    maximum = 1 if nested.single else nested.max_items
    if maximum is not None and count > maximum:
        yield f"{path}: found {count} blocks; allowed: at most {maximum}"
    if count < nested.min_items:
        yield f"{path}: found {count} blocks; allowed: at least {nested.min_items}"


def _is_primitive(kind: str, value: Any) -> bool:
    if kind == "dynamic":
        return True
    if kind == "number" and isinstance(value, bool):
        return False
    return isinstance(value, _PRIMITIVES[kind])


def _described(kind: AttributeType) -> str:
    if isinstance(kind, str):
        return {"string": "a string", "number": "a number", "bool": "True or False"}[kind]
    container, element = kind
    plural = element + "s" if isinstance(element, str) else "values"
    return f"a dict of {plural}" if container in ("map", "object") else f"a list of {plural}"


def _shown(value: Any) -> str:
    if is_token(value):
        return "a token (a value known only later)"
    if isinstance(value, Construct):
        return f"the {type(value).__name__} itself, of which this takes an attribute such as .id"
    return f"{value!r} ({type(value).__name__})"


def _nearest(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; allowed: {', '.join(names)}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
