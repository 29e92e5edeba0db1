"""In process: ocimock beside the SDK alone and beside moto, each in a process of its own.

The SDK alone is measured as it is; under ocimock it looks for no proxies in the environment
(:mod:`ocimock.sessions`), so a call can take less than the SDK's own time. What is left of a call
is mostly the SDK's: the column "the SDK alone" says how many times moto's rate a mock would reach
that took no time at all.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from .figures import (
    Plan,
    console,
    in_turns,
    milliseconds,
    percent,
    rate,
    reaches,
    table,
    times,
    verdict,
)
from .processes import Worker, worker

# The call, its name in the table, and whether AWS has its like.
CALLS = (
    ("put", "object put, 1 KiB", True),
    ("get", "object get, 1 KiB", True),
    ("list", "list 1,000 objects", True),
    ("create_group", "create group", True),
    ("get_group", "get group", True),
    ("list_groups", "list 20 groups", True),
    ("create_job_run", "create job run", False),
)
_OF_SDK = 0.75
_TIMES_MOTO = 3.5
_ENTER_SECONDS = 0.002


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        ocimock = stack.enter_context(worker("oci_worker"))
        moto = plan.moto and stack.enter_context(worker("aws_worker", python=plan.moto))
        peers = {"ocimock": ocimock, **({"moto": moto} if moto else {})}
        # Before any call: from then on a worker's mock stays entered.
        _enter(plan, peers)
        sdk = stack.enter_context(worker("stub_worker"))
        sdk.ask("load", **ocimock.ask("canned"))
        _calls(plan, {**peers, "sdk": sdk})


def _enter(plan: Plan, peers: dict[str, Worker]) -> None:
    takers = {name: partial(_seconds_to_enter, peer, plan) for name, peer in peers.items()}
    taken = in_turns(plan.rounds, takers)
    own = taken.median("ocimock")
    with worker("oci_worker") as fresh:
        first = fresh.ask("first")
    holds = verdict(own is not None and own < _ENTER_SECONDS)
    console.print(
        f"\nenter and exit: ocimock {milliseconds(own)}, "
        f"moto {milliseconds(taken.median('moto'))}; "
        f"below {milliseconds(_ENTER_SECONDS)} {holds}"
    )
    console.print(
        f"first in a process: enter {milliseconds(first['enter'])}, "
        f"call {milliseconds(first['call'])}"
    )


def _seconds_to_enter(peer: Worker, plan: Plan) -> float:
    return 1 / float(peer.ask("enter", seconds=plan.seconds))


def _calls(plan: Plan, peers: dict[str, Worker]) -> None:
    shown = table(
        "\nIn process, calls a second (of processor time)",
        "",
        "ocimock",
        "SDK alone",
        "moto",
        "of the SDK's",
        "times moto's",
        "the SDK alone",
        f"≥ {_OF_SDK:.0%}",
        f"≥ {_TIMES_MOTO} x",
    )
    for call, title, both in CALLS:
        takers = {
            name: partial(peer.rate, call, plan.seconds)
            for name, peer in peers.items()
            if both or name != "moto"
        }
        taken = in_turns(plan.rounds, takers)
        of_sdk, of_moto = taken.ratio("ocimock", "sdk"), taken.ratio("ocimock", "moto")
        shown.add_row(
            title,
            *(rate(taken.median(name)) for name in ("ocimock", "sdk", "moto")),
            percent(of_sdk),
            times(of_moto),
            times(taken.ratio("sdk", "moto")),
            verdict(reaches(of_sdk, _OF_SDK)),
            verdict(reaches(of_moto, _TIMES_MOTO)),
        )
    console.print(shown)
