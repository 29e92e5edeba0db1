"""What holds for every test."""

from __future__ import annotations

import signal

# Whoever starts the tests in the background of a shell hands them SIGINT ignored, and so it would
# be in all their children: those that are to be interrupted would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
