"""The scripts that run inside a job, with PyTorch: ``make test-rehearsal`` runs these tests."""

from __future__ import annotations

import importlib.util

import pytest

_HAS_TORCH = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if _HAS_TORCH else ["test_*.py"]


def pytest_report_header() -> str | None:
    if _HAS_TORCH:
        return None
    return "tests/recipes: not collected, there is no PyTorch here (make test-rehearsal)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is of the rehearsal."""
    for item in items:
        if "tests/recipes/" in item.nodeid:
            item.add_marker(pytest.mark.rehearsal)
