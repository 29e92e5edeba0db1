"""What becomes of a run, by how its nodes ended and what it was told."""

from __future__ import annotations

from ...execute.specs import Cause, End
from . import run_words
from .run_plan import RunPlan


class Verdict:
    """Ends so far, and the first reason for which the rest is to stop."""

    def __init__(self) -> None:
        self.ends: dict[int, End] = {}
        self.minutes = 0
        self.is_canceled = False
        self.is_mock_ending = False
        self._is_timed_out = False
        self._failed: int | None = None
        self._is_lost = False
        self._lacking: dict[int, str] = {}

    @property
    def is_stopping(self) -> bool:
        """Whether what still runs is to stop."""
        return self.is_canceled or self.is_mock_ending or self._is_timed_out or self._is_lost

    def cancel(self) -> None:
        self.is_canceled = True

    def time_out(self) -> None:
        self._is_timed_out = True

    def mock_ends(self) -> None:
        self.is_mock_ending = True

    def heard(self, rank: int, text: str) -> None:
        """A line may say why the node is going to fail."""
        if lacking := run_words.lacking_package(text):
            self._lacking[rank] = lacking

    def judge(self, plan: RunPlan) -> None:
        """Whether the run can still succeed, now that some nodes have ended."""
        failed = [rank for rank, end in self.ends.items() if not _is_well(end)]
        if not failed or self.is_stopping:
            return
        if self._failed is None:
            self._failed = failed[0]
        for group, least in plan.least.items():
            ranks = [node.rank for node in plan.nodes if node.group == group]
            if len(ranks) - len([rank for rank in failed if rank in ranks]) < least:
                self._is_lost = True

    def conclusion(self, plan: RunPlan) -> tuple[str, str]:
        """State and details of the end, once every node has ended."""
        if self._is_lost and self._failed is not None:
            return "FAILED", self._failure(plan, self._failed)
        if self.is_canceled:
            return "CANCELED", "Job run canceled"
        if self._is_timed_out:
            return "FAILED", run_words.timed_out(self.minutes)
        if self.is_mock_ending:
            return "FAILED", f"Job run artifact execution failed: {run_words.MOCK_ENDED}"
        return "SUCCEEDED", "Job run artifact execution succeeded"

    def _failure(self, plan: RunPlan, rank: int) -> str:
        node, others = plan.nodes[rank], ""
        if len(plan.nodes) > 1:
            least = plan.least[node.group]
            others = (
                f"{least} of the {sum(found.group == node.group for found in plan.nodes)} nodes of "
                f"{node.group} had to succeed, so what still ran was stopped"
            )
        lacking = self._lacking.get(rank, "")
        return run_words.execution_failure(node.name, self.ends[rank], node.limits, lacking, others)


def _is_well(end: End) -> bool:
    return end.cause is Cause.EXITED and end.exit_code == 0
