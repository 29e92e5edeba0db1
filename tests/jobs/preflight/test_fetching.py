"""What a definition fetches from outside of OCI."""

from __future__ import annotations

import pytest

from jobs.preflight.fetching import PACKAGES, fetched
from tests.jobs.samples import definition

CODE = "https://github.com/facebookresearch/llama-recipes.git"
ENV = "env:\n      - name: PYTHONPATH"


def test_each_step_of_the_sample() -> None:
    found = {name: fetched(definition(name)) for name in ("stage", "finetune", "merge")}
    assert found == {
        "stage": [PACKAGES, "huggingface.co"],
        "finetune": ["github.com", PACKAGES],
        "merge": [],
    }


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("git@git.example.com:team/code.git", "git.example.com"),
        ("ssh://git@git.example.com/code.git", "git.example.com"),
        ("https://user@git.example.com:8443/code.git", "git.example.com"),
        ("https://192.0.43.8/code.git", "192.0.43.8"),
        ("https://10.0.0.7/code.git", ""),
        ("file:///code", ""),
        ("http://localhost:3000/code.git", ""),
        ("https://devops.scmservice.eu-frankfurt-1.oci.oraclecloud.com/x", ""),
        ("https://git.nodes.demo.oraclevcn.com/x", ""),
    ],
)
def test_hosts_within_oci_and_this_network_are_not_outside(url: str, host: str) -> None:
    found = fetched(definition("finetune", **{CODE: url}))
    assert found == [*([host] if host else []), PACKAGES]


def test_a_mirror_takes_the_place_of_the_hub_and_of_the_index() -> None:
    mirrors = (
        "env:\n      - name: HF_ENDPOINT\n        value: https://hub.example.com\n"
        "      - name: PIP_INDEX_URL\n        value: http://10.0.0.9/simple\n"
        "      - name: PYTHONPATH"
    )
    assert fetched(definition("stage", **{ENV: mirrors})) == ["hub.example.com"]
