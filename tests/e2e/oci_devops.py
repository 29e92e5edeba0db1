"""Runs a build spec of OCI DevOps here: its own commands, in order, in a working copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.e2e.conftest import WorkingCopy

# What it does to a machine is looked at apart: here everything is installed.
_SET_UP = ".oci-devops/tools.sh"


@dataclass
class Build:
    """A build that has ended.

    :param printed: by the step's name; what ran on its failure is under ``on failure``.
    """

    printed: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class BuildRunner:
    """The machine that OCI lends a build.

    :param machine: its environment, with the build pipeline's parameters.
    """

    copy: WorkingCopy
    machine: Mapping[str, str]

    def run(self, spec: str, **parameters: str) -> Build:
        """Run a build spec; it ends where a step fails."""
        document = yaml.safe_load((self.copy.path / ".oci-devops" / spec).read_text())
        build = Build()
        for step in document["steps"]:
            code, printed = self._command(step, parameters)
            build.printed[step["name"]] = printed
            if code:
                build.failed.append(step["name"])
                for after in step.get("onFailure", ()):
                    build.printed["on failure"] = self._command(after, parameters)[1]
                break
        else:
            for artifact in document.get("outputArtifacts", ()):
                assert (self.copy.path / artifact["location"]).exists(), artifact
        return build

    def _command(self, step: Mapping[str, Any], parameters: Mapping[str, str]) -> tuple[int, str]:
        assert step["type"] == "Command"
        if step["command"].strip() == _SET_UP:
            return 0, ""
        done = self.copy.run(
            f"set -e\n{step['command']}",
            environment={**self.machine, **parameters},
            check=False,
        )
        return done.returncode, done.stdout
