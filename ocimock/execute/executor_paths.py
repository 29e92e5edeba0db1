"""Where nothing can be bound: the paths that a node would see, as the host has them."""

from __future__ import annotations

import re
from dataclasses import replace

from .specs import NodeSpec


def on_host(spec: NodeSpec) -> NodeSpec:
    """*spec* with the host's own paths in place of what its binds would show.

    They are replaced in the command's words, the working directory and the environment's values,
    wherever one of them begins there as a whole. What a program has of them in its own text stays.
    """
    # The longer one first: one may lie below the other.
    binds = sorted(spec.binds, key=lambda bind: len(bind.target), reverse=True)
    sources = {bind.target: str(bind.source) for bind in binds}
    if spec.python_at is not None:
        sources[spec.python_at] = str(spec.python)
    if not sources:
        return spec
    targets = "|".join(re.escape(target) for target in sources)
    # No part of a longer path: neither behind one, nor in the middle of a name.
    pattern = re.compile(rf"(?<![\w./-])(?:{targets})(?![\w.-])")

    def shown(text: str) -> str:
        return pattern.sub(lambda found: sources[found[0]], text)

    return replace(
        spec,
        command=tuple(shown(word) for word in spec.command),
        environment={name: shown(value) for name, value in spec.environment.items()},
        working_directory=shown(spec.working_directory),
    )
