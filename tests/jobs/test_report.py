"""The report: one file that loads nothing, and holds what the ledger and OCI tell."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobs import history
from jobs.charts import Curve as Line
from jobs.charts import chart
from jobs.console_links import console_link
from jobs.gpu_metrics import MEMORY, UTILISATION, GpuSeries
from jobs.ledger import Ledger
from jobs.metrics import Curve, gather
from jobs.report import Report, page
from tests.jobs.samples import START, OwnedClock, entry

LATER = START + timedelta(hours=2)
RUN = "ocid1.datasciencejobrun.oc1.fra.aaaarun"
LINES = [
    f'{{"metric": "train", "step": {step}, "loss": {6 - step / 10}, "tokens_per_second": 800.0}}'
    for step in range(1, 21)
] + ['{"metric": "eval", "step": 20, "loss": 4.5}']
VOID = {"meta", "br"}


class Checked(HTMLParser):
    """A page that is read as a browser would, but strictly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: Counter[str] = Counter()
        self.captions = 0
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        assert len(named) == len(attrs), f"<{tag}> says the same twice"
        for name, value in attrs:
            assert value is not None, f"<{tag} {name}>"
            if tag == "a" and name == "href":
                self.links.append(value)
            elif name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                if not value.startswith("#"):
                    self.loads.append(f"{tag} {name}={value}")
            elif name == "id":
                self.ids[value] += 1
            assert not name.startswith("on")
        self.captions += tag == "caption"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db", OwnedClock())


def _report(ledger: Ledger, **values: object) -> Report:
    pipeline = ledger.current() or ledger.begin("f")
    found = history.summary(ledger, pipeline, LATER)
    made = Report("tunestack: <rehearsal>", LATER, found, ledger.events())
    return Report(**{**vars(made), **values})


def _ran(ledger: Ledger) -> None:
    """A pipeline whose fine-tuning failed once."""
    ledger.begin("f")
    began = {"fingerprint": "f", "generation": 0, "key": "k", "definition": 0, "text": ""}
    ledger.note("attempt", "finetune", **began, attempt=1, file="finetune.yaml")
    ledger.note(
        "failed", "finetune", cause="infrastructure", reason="a node was <lost>", advice="",
        lines=["<script>alert(1)</script>"], submitted=True,
    )  # fmt: skip
    ledger.note(
        "again", "finetune", until=START.isoformat(), definition=0, reason="submitting again now"
    )
    ledger.note("attempt", "finetune", **{**began, "key": "l"}, attempt=2, file="finetune.yaml")
    done = entry(
        "finetune", submitted=START, started=START, finished=START + timedelta(hours=1),
        replicas=2, shape="VM.GPU.A10.1", attempt=2, ids={"job_run": RUN},
    )  # fmt: skip
    ledger.put(done)
    ledger.put(entry("merge", "FAILED", submitted=START, simulated=True, ids={"job_run": RUN}))
    ledger.end("FAILED")


def _gpu(quantity: str, gpu: str) -> GpuSeries:
    points = tuple((START + timedelta(minutes=each), 10.0 * each) for each in range(5))
    return GpuSeries(quantity, gpu, points)


def test_it_is_valid_loads_nothing_and_links_to_the_console_only(ledger: Ledger) -> None:
    _ran(ledger)
    gpus = (_gpu(UTILISATION, "a"), _gpu(UTILISATION, "b"), _gpu(MEMORY, "a"))
    made = page(_report(ledger, training=gather(LINES), gpus=(("finetune", gpus),), limit=500.0))
    found = Checked(made)
    assert found.loads == []
    assert found.links == [
        f"https://cloud.oracle.com/data-science/job-runs/{RUN}?region=eu-frankfurt-1"
    ]
    assert [name for name, count in found.ids.items() if count > 1] == []
    assert made.count("<svg") == 4
    assert found.captions == 5
    assert "<script" not in made
    assert "@import" not in made
    assert "prefers-color-scheme" in made or 'content="light dark"' in made


def test_it_tells_what_happened_and_what_it_cost(ledger: Ledger) -> None:
    _ran(ledger)
    made = page(_report(ledger, limit=500.0))
    assert "<h1>tunestack: &lt;rehearsal&gt;</h1>" in made
    assert "Pipeline 1: FAILED, began 2026-11-22 12:00 UTC" in made
    assert "Spent so far: $4.00 of $500.00." in made
    row = "<td>finetune</td><td>SUCCEEDED</td><td>2</td><td>1:00:00</td><td>2 x VM.GPU.A10.1</td>"
    assert f"{row}<td>$4.00</td>" in made
    assert "<td>merge</td><td>FAILED (simulated)</td>" in made
    assert "failed (infrastructure): a node was &lt;lost&gt;" in made
    assert "<pre>&lt;script&gt;alert(1)&lt;/script&gt;</pre>" in made
    assert "submitting again now" in made


def test_figures_can_be_read_without_seeing_them(ledger: Ledger) -> None:
    made = page(_report(ledger, training=gather(LINES)))
    assert "<tr><td>20</td><td>eval</td><td>4.5000</td><td></td></tr>" in made
    assert '<svg role="img" aria-label="Loss"' in made
    assert "<figcaption>Speed</figcaption>" in made


def test_a_long_training_leaves_a_table_that_can_be_read(ledger: Ledger) -> None:
    lines = [f'{{"metric": "train", "step": {step}, "loss": 1.0}}' for step in range(1, 10_001)]
    lines.append('{"metric": "eval", "step": 7, "loss": 1.0}')
    made = page(_report(ledger, training=gather(lines)))
    rows = re.findall(r"<tr><td>(\d+)</td><td>(train|eval)", made)
    assert len(rows) <= 202
    assert rows[-1] == ("10000", "train")
    assert ("7", "eval") in rows


def test_the_curve_goes_down_where_the_loss_falls() -> None:
    points = tuple((float(step), 6 - step / 10) for step in range(1, 21))
    drawn = chart("loss", "Loss", "step", "loss", [Line("train", points)])
    line = max(re.findall(r'<path d="(M [^"]+)"', drawn), key=lambda path: path.count("L "))
    heights = [float(word) for word in re.findall(r"[ML] [\d.]+ ([\d.]+)", line)]
    assert len(heights) == 20
    assert heights == sorted(heights)  # in SVG, down is more


def test_the_same_run_gives_the_same_page(ledger: Ledger) -> None:
    _ran(ledger)
    made = _report(ledger, training=gather(LINES))
    assert page(made) == page(made)


@pytest.mark.parametrize("training", [None, Curve()])
def test_a_run_without_metrics_says_so(training: Curve | None, ledger: Ledger) -> None:
    made = page(_report(ledger, training=training, missing=("Could not read <x>.",)))
    Checked(made)
    assert "left no metrics" in made
    assert "Could not read &lt;x&gt;." in made


@pytest.mark.parametrize(
    ("kind", "identifier", "place"),
    [
        ("job", "ocid1.datasciencejob.oc1.eu-frankfurt-1.x", "jobs"),
        ("model", "ocid1.datasciencemodel.oc1.fra.x", "models"),
        ("deployment", "ocid1.datasciencemodeldeployment.oc1.fra.x", "model-deployments"),
        ("work_request", "ocid1.workrequest.oc1.fra.x", ""),
        ("job", "ocid1.datasciencejob.oc2.us-langley-1.x", ""),
        ("job", "ocid1.datasciencejob.x", ""),
    ],
)
def test_links_to_the_console(kind: str, identifier: str, place: str) -> None:
    form = f"https://cloud.oracle.com/data-science/{place}/{identifier}?region=eu-frankfurt-1"
    assert console_link(kind, identifier) == (form if place else "")
