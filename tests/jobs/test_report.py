"""The report: one file that loads nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

from jobs.record import Run
from jobs.report import page, picture
from tests.jobs.samples import START, entry

POINTS = [{"metric": "train", "step": step, "loss": 6 - step / 10} for step in range(1, 21)] + [
    {"metric": "eval", "step": 20, "loss": 4.5}
]


class _Links(HTMLParser):
    """Everything that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.found.append(f"{tag} {name}={value}")


def test_it_holds_the_steps_and_the_picture_and_loads_nothing() -> None:
    run = Run(
        {
            "finetune": entry(
                "finetune", submitted=START, finished=START + timedelta(minutes=2), replicas=2,
                shape="VM.GPU.A10.1", title="<b>",
            ),
            "merge": entry("merge", "FAILED"),
        }
    )  # fmt: skip
    made = page("tunestack: <rehearsal>", run, POINTS, START)
    assert "<h1>tunestack: &lt;rehearsal&gt;</h1>" in made
    assert "<td>finetune<td>SUCCEEDED<td>0:02:00<td>2 x VM.GPU.A10.1" in made
    assert "<td>merge<td>FAILED" in made
    assert "ocid1.datasciencejobrun.x" in made
    assert "<svg" in made
    links = _Links()
    links.feed(made)
    assert links.found == []
    assert "<script" not in made
    assert "@import" not in made


def test_the_curve_goes_down_where_the_loss_falls() -> None:
    drawn = picture(POINTS)
    line = max(re.findall(r'<path d="(M [^"]+)"', drawn), key=lambda path: path.count("L "))
    heights = [float(word) for word in re.findall(r"[ML] [\d.]+ ([\d.]+)", line)]
    assert len(heights) == 20
    assert heights == sorted(heights)  # in SVG, down is more


def test_the_same_run_gives_the_same_picture() -> None:
    assert picture(POINTS) == picture(POINTS)


def test_a_run_without_metrics_says_so() -> None:
    assert "left no metrics" in page("t", Run(), [], START)
