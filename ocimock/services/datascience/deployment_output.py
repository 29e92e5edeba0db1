"""What the server of a deployment says, on its way into the predict log."""

from __future__ import annotations

import threading
from collections import deque

from ...execute.nodes import Node
from ...execute.specs import End
from .deployment_record import DeploymentRecord
from .run_inbox import Ended, Inbox

# Seconds. How long to listen when nothing is said.
_LOOK = 0.1
# Lines that an error shows.
_SHOWN_LINES = 12


class Output:
    """Hears the nodes of one server, one after the other."""

    def __init__(self, record: DeploymentRecord) -> None:
        self._record = record
        self._inbox = Inbox()
        self._tail: deque[str] = deque(maxlen=_SHOWN_LINES)

    def line(self, text: str) -> None:
        """A line that a node said."""
        self._inbox.line(0, text)

    def follow(self, node: Node) -> None:
        """Hear of the end of *node*, too; what others said before it is no more shown."""
        self._tail.clear()
        threading.Thread(target=self._await, args=(node,), daemon=True).start()

    def hear(self) -> End | None:
        """Write down what was said; how the node ended, if it did."""
        heard = self._inbox.take(_LOOK)
        if heard:
            heard = self._inbox.gather(heard)
        lines = [item.text for item in heard if not isinstance(item, Ended)]
        ends = [item.end for item in heard if isinstance(item, Ended)]
        self._tail.extend(lines)
        if lines:
            with self._inbox.writing():
                self._record.write("predict", lines)
        return ends[0] if ends else None

    def shown(self) -> str:
        """The last lines, for people."""
        lines = [line.strip() for line in self._tail if line.strip()]
        return f"; its last lines: {' | '.join(lines)}" if lines else "; it said nothing"

    def wake(self) -> None:
        """There is something to look at elsewhere."""
        self._inbox.wake()

    def close(self) -> None:
        """Nobody listens any more."""
        self._inbox.close()

    def _await(self, node: Node) -> None:
        end = node.wait()
        if end is not None:
            self._inbox.ended(0, end)
