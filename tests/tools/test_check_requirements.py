"""The training recipe's pins resolve for OCI's conda environment; the tutorial's do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.llama_recipes import PIP_PACKAGES
from tools import check_requirements
from tools.check_requirements import Package, UnreachableError, UnresolvableError

# As it stands in Oracle's tutorial, peft from its index instead of from its repository.
TUTORIAL = (
    *("accelerate>=0.21.0", "appdirs", "loralib", "bitsandbytes==0.39.1", "black"),
    *("black[jupyter]", "datasets", "fire", "peft", "llama-recipes", "transformers>=4.31.0"),
    *("sentencepiece", "py7zr", "scipy", "optimum"),
)


def resolve(requirements: Sequence[str], torch: str | None) -> dict[str, Package]:
    try:
        return check_requirements.resolve(requirements, torch=torch)
    except UnreachableError as error:
        pytest.skip(f"no package index can be asked: {error}")


def test_the_pins_resolve_beside_the_environments_torch() -> None:
    pins = check_requirements.lines_of(check_requirements.REQUIREMENTS)
    assert all("==" in pin for pin in pins)
    found = resolve(pins, check_requirements.TORCH)
    assert found["torch"].version == check_requirements.TORCH
    for pin in pins:
        name, _, version = pin.partition("==")
        assert found[name].version == version


def test_the_older_recipes_list_needs_the_older_environment() -> None:
    """Pinned to what llama-recipes ran with in 2023, it has no wheels for Python 3.12."""
    words = [word for word in PIP_PACKAGES if word[0] != "-" and "://" not in word]
    with pytest.raises(UnresolvableError, match="unsatisfiable"):
        resolve(words, None)


def test_the_tutorials_unpinned_list_is_not_what_its_script_was_written_for() -> None:
    """It does resolve on Python 3.12, to a transformers years younger than the script."""
    found = resolve(TUTORIAL, check_requirements.TORCH)
    assert int(found["transformers"].version.partition(".")[0]) >= 5


def test_a_conflict_is_told() -> None:
    with pytest.raises(UnresolvableError, match=r"transformers"):
        resolve(["transformers==4.57.6", "tokenizers==0.13.3"], None)


def test_no_index_is_not_no_solution(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A refused connection says nothing about the pins."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    with pytest.raises(UnreachableError):
        check_requirements.resolve(["accelerate==1.12.0"])


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ({"torch": Package("torch", "2.8.0")}, 0, "with torch 2.8.0: 1 packages"),
        (UnresolvableError("peft wants another torch"), 1, "peft wants another torch"),
        (UnreachableError("no route"), 2, "could not be checked: no route"),
    ],
)
def test_the_exit_code_tells_no_from_not_known(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: dict[str, Package] | Exception,
    code: int,
    said: str,
) -> None:
    def answered(_requirements: Sequence[str]) -> dict[str, Package]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(check_requirements, "resolve", answered)
    assert check_requirements.main() == code
    assert said in "".join(capsys.readouterr())
