"""The spending limit: what could pass it is not submitted, and the message has all figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.budget import affordable, check
from jobs.errors import BudgetError
from jobs.pipeline import Pipeline, Step
from jobs.record import Entry
from tests.jobs.samples import START, definition, entry

# 6 nodes of $4.00 an hour for 720 minutes.
FINETUNE = definition("finetune")
DEPLOYMENT = definition("deployment")
MOST = 6 * 4.0 * 12
JOB = Step("finetune", "job", ("finetune.yaml",))
DEPLOY = Step("deploy", "deployment", ("deployment.yaml",))


def _pipeline(limit: float | None) -> Pipeline:
    return Pipeline(
        tenancy="demo", region="eu-frankfurt-1", compartment_id="ocid1.compartment.x",
        project_id="ocid1.datascienceproject.x", ledger="oci://b@n/ledger/", steps=(JOB, DEPLOY),
        spending_limit=limit,
    )  # fmt: skip


def _ran(hours: float, **values: object) -> Entry:
    return entry(
        "finetune", "FAILED", started=START, finished=START + timedelta(hours=hours),
        shape="VM.GPU.A10.2", replicas=6,
    ).changed(**values)  # fmt: skip


def test_what_fits_is_submitted_to_the_last_dollar() -> None:
    check(_pipeline(MOST), JOB, FINETUNE, [], START)
    check(_pipeline(MOST + 24), JOB, FINETUNE, [_ran(1)], START)


def test_what_could_pass_the_limit_is_not_and_all_figures_are_told() -> None:
    with pytest.raises(BudgetError) as caught:
        check(_pipeline(300), JOB, FINETUNE, [_ran(1), _ran(0.5)], START)
    assert caught.value.what.splitlines() == [
        "'finetune' was not submitted: it could pass the spending limit of $300.00.",
        "  spent so far         $36.00  all attempts of this pipeline, at list prices",
        "  this one            $288.00  at most: 6 x VM.GPU.A10.2, $24.00 an hour for 720 min of "
        "maximum runtime",
        "  together            $324.00",
    ]
    assert "spending_limit" in caught.value.advice


def test_what_still_runs_costs_until_now() -> None:
    running = _ran(0, state="IN_PROGRESS", finished=None)
    check(_pipeline(MOST + 24), JOB, FINETUNE, [running], START + timedelta(hours=1))
    with pytest.raises(BudgetError, match=r"spent so far +\$48.00"):
        check(_pipeline(MOST + 24), JOB, FINETUNE, [running], START + timedelta(hours=2))


def test_a_deployment_is_counted_for_an_hour() -> None:
    per_hour = 4.0
    assert DEPLOYMENT.shape == "VM.GPU.A10.2"
    check(_pipeline(per_hour), DEPLOY, DEPLOYMENT, [], START)
    with pytest.raises(BudgetError, match="until it is deleted, counted for 1 h"):
        check(_pipeline(per_hour - 0.01), DEPLOY, DEPLOYMENT, [], START)


def test_an_unknown_price_or_runtime_is_refused_where_there_is_a_limit() -> None:
    unknown = definition("finetune", **{"VM.GPU.A10.2": "BM.GPU.NEW.8"})
    with pytest.raises(BudgetError, match=r"no list price of BM\.GPU\.NEW\.8 is known"):
        check(_pipeline(1e6), JOB, unknown, [], START)
    endless = definition("finetune", **{"      maximumRuntimeInMinutes: 720": ""})
    with pytest.raises(BudgetError, match="no maximum runtime") as caught:
        check(_pipeline(1e6), JOB, endless, [], START)
    assert "max_runtime_minutes" in caught.value.advice
    for free in (unknown, endless):
        check(_pipeline(None), JOB, free, [], START)


def test_what_needs_no_machine_is_free() -> None:
    model = replace(JOB, name="register", kind="model")
    check(_pipeline(0), model, definition("model"), [], START)
    check(_pipeline(0), replace(JOB, name="smoke", kind="answer"), DEPLOYMENT, [], START)


def test_which_definitions_are_affordable() -> None:
    dear = definition("finetune", **{"replicas: 6": "replicas: 12"})
    unknown = definition("finetune", **{"VM.GPU.A10.2": "BM.GPU.NEW.8"})
    chosen = [dear, FINETUNE, unknown]
    assert affordable(_pipeline(MOST), JOB, chosen, iter([]), START) == [1]
    assert affordable(_pipeline(MOST), JOB, chosen, iter([_ran(1)]), START) == []
    assert affordable(_pipeline(None), JOB, chosen, iter([_ran(1)]), START) == [0, 1, 2]


def test_a_rehearsal_has_spent_nothing_but_is_refused_alike() -> None:
    check(_pipeline(MOST), JOB, FINETUNE, [_ran(5, simulated=True), _ran(5, local=True)], START)
    with pytest.raises(BudgetError):
        check(_pipeline(MOST - 1), JOB, FINETUNE, [_ran(5, simulated=True)], START)
