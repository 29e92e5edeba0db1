"""``jobs prices``: Oracle's list read from a file or a URL, kept, told, and gone by."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jobs import cli, cost
from tests.jobs.samples import definition

FOLDER = Path(__file__).parent.parent / "sizing" / "data"
FILE = FOLDER / "price_list.json"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: standard error is what the tests read."""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the list can be fetched on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(FOLDER))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def update(place: str) -> int:
    return cli.main(["prices", "update", "--from", place])


def test_what_changed_and_what_was_not_found_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert update(str(FILE)) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "VM.GPU.A10.2: $4 → $4.5 an hour" in printed
    assert "VM.Standard.E3.Flex: not known → $0.025 an OCPU and hour" in printed
    assert "BM.GPU4.8: the list has no part B92740; $24.4 stays." in printed
    assert "1 prices are as they were." in printed
    assert not [line for line in printed if line.startswith("BM.GPU.H100.8")]
    assert printed[-1].startswith("13 prices kept in .tunestack/prices.yaml")


def test_costs_go_by_it_from_then_on() -> None:
    assert str(cost.estimate(definition("finetune"))) == "$24.00 an hour, $60.00 in 2.5 h"
    update(str(FILE))
    assert str(cost.estimate(definition("finetune"))) == "$27.00 an hour, $67.50 in 2.5 h"
    note = cost.price_note()
    assert note.startswith("List prices in USD, SkyPilot's public catalog v8")
    assert note.endswith("some by .tunestack/prices.yaml: Oracle's public price list, 2026-12-01.")


def test_a_second_time_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    update(str(FILE))
    capsys.readouterr()
    assert update(str(FILE)) == 0
    printed = capsys.readouterr().out
    assert "→" not in printed
    assert "13 prices are as they were." in printed


def test_the_list_is_fetched(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(f"{served}/price_list.json?key=hidden") == 0
    kept = Path(".tunestack/prices.yaml").read_text(encoding="utf-8")
    assert "from: 127.0.0.1\n" in kept
    assert "hidden" not in kept
    assert cost.per_hour("VM.GPU.A10.2", 1) == 4.5
    assert cli.main(["prices", "show"]) == 0
    shown = capsys.readouterr().out
    assert "2026-12-01" in shown
    assert "2026-11-22" in shown, "what the list had not"


def test_show_prints_every_shape(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["prices", "show"]) == 0
    shown = capsys.readouterr().out
    for name in cost.known_shapes():
        assert name in shown
    assert "$0.025 an OCPU, $0.0015 a GB" in shown
    assert "not known" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>", "is not Oracle's price list: it is no JSON"),
        (
            '{"items": [{"partNumber": "X", "prices": [{"currencyCode": "USD", "prices": '
            '[{"model": "PAY_AS_YOU_GO", "value": 1}]}]}]}',
            "has none of the parts that the shapes are priced by",
        ),
    ],
)
def test_another_file_changes_nothing(
    text: str, said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "list.json").write_text(text, encoding="utf-8")
    assert update("list.json") == 1
    assert said in capsys.readouterr().err
    assert not (home / ".tunestack").exists()


def test_a_file_or_a_host_that_is_not_there(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update("nowhere.json") == 1
    assert "nowhere.json can't be read: No such file or directory." in capsys.readouterr().err
    assert update(f"{served}/nowhere.json") == 1
    assert "nowhere.json answered 404." in capsys.readouterr().err
    assert update("http://127.0.0.1:9/list") == 1
    assert "give the file with --from" in capsys.readouterr().err


def test_a_broken_file_of_prices_is_told_and_made_anew(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = home / ".tunestack" / "prices.yaml"
    own.parent.mkdir()
    own.write_text("[", encoding="utf-8")
    assert cli.main(["prices", "show"]) == 1
    assert "does not hold prices. Delete it" in capsys.readouterr().err
    assert update(str(FILE)) == 0
    assert cost.per_hour("VM.GPU.A10.2", 1) == 4.5
