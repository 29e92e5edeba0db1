"""What holds for every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

# Whoever starts the tests in the background of a shell hands them SIGINT ignored, and so it would
# be in all their children: those that are to be interrupted would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The progress bars of ADS ask for this when they are imported, which only the first test of a
# process does; the runner sets it for itself before, as test_ads_keeps_quiet sees in a process of
# its own.
os.environ.setdefault("TQDM_DISABLE", "1")


@pytest.fixture(autouse=True)
def _signals_stay() -> Iterator[None]:
    """What is called here as a command's main takes signals over, and is no process that ends."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
