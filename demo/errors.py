"""What can go wrong in the demo."""

from __future__ import annotations

from pathlib import Path

GO_ON = "'make demo' goes on with it, 'make demo-down' removes it."


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: to this process alone, where Ctrl-C reaches what it started too."""


class DemoError(Exception):
    """The message says what failed and where its output is, *advice* what to do next."""

    advice = GO_ON


class StepFailedError(DemoError):
    """A command ended with an exit code other than 0; *said* is the part of its output to read."""

    def __init__(self, title: str, code: int, said: str = "", log: Path | None = None) -> None:
        parts = [f"{title} failed (exit code {code})."]
        if said:
            parts.append(said.rstrip())
        if log:
            parts.append(f"All that it printed: {log}")
        super().__init__("\n".join(parts))


class LeftoversError(DemoError):
    """The destroy did not get all: somebody else put something in, or it failed."""

    advice = (
        "Mend that and run 'make demo-down' again; or end the embedded OCI with all that is in it: "
        ".venv/bin/python -m demo down --force"
    )


class OtherCaseError(DemoError):
    """The embedded OCI that runs was started for something else."""

    advice = "'make demo-down' removes it; then say it again."

    def __init__(self, standing: str) -> None:
        super().__init__(f"what stands is of tenancies/{standing}.yaml.")


class OtherSettingsError(DemoError):
    """The embedded OCI that runs was started with other settings than those asked for."""

    advice = "'make demo' goes on with what stands; 'make demo-down' removes it."
