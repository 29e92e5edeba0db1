"""Helpers of these tests: the shape of synthesized stacks, and their values after apply."""

import re
from typing import Any

from infra.oci.schema import names

Stacks = dict[str, dict[str, Any]]

OCIDS = """\
tenancy_ocid: ocid1.tenancy.oc1..aaaatest
compartment_ocid: ocid1.compartment.oc1..aaaatest
"""

# An expression of Terraform in a string; none in these stacks has a brace inside.
_EXPRESSION = re.compile(r"(?<!\$)\$\{([^}]*)\}")


def applied(value: Any) -> Any:
    """The value as it is after apply: every expression replaced by an OCID or a name."""
    if isinstance(value, dict):
        return {key: applied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [applied(item) for item in value]
    return _EXPRESSION.sub(_result, value) if isinstance(value, str) else value


def _result(match: re.Match[str]) -> str:
    expression = match[1]
    if expression.endswith(("name", "namespace", "cidr_block")):
        return "a-" + re.sub(r"[^a-z]", "", expression)[-24:]
    types = [name for name in names("resource") + names("data") if name in expression]
    kind = max(types, key=len).split("_", 2)[2].replace("_", "")
    return f"ocid1.{kind}.oc1.eu-frankfurt-1.aaaa{len(expression)}"
