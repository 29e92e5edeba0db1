"""What holds for every test."""

from __future__ import annotations

import os
import signal

# Whoever starts the tests in the background of a shell hands them SIGINT ignored, and so it would
# be in all their children: those that are to be interrupted would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The progress bars of ADS ask for this when they are imported, which only the first test of a
# process does; the runner sets it for itself before, as test_ads_keeps_quiet sees in a process of
# its own.
os.environ.setdefault("TQDM_DISABLE", "1")
