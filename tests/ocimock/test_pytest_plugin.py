"""The fixtures for other people's tests, in a test suite of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_ROOT = Path(__file__).resolve().parents[2]
_CONFTEST = 'pytest_plugins = ["ocimock.pytest_plugin"]\n'
_HELPERS = """
import os
import subprocess
import sys

import oci
import pytest

def make(cloud, name):
    config = oci.config.from_file(os.environ["OCI_CONFIG_FILE"])
    storage = oci.object_storage.ObjectStorageClient(config)
    details = oci.object_storage.models.CreateBucketDetails(
        name=name, compartment_id=cloud.compartment_id
    )
    storage.create_bucket(cloud.namespace, details)
    return [b.name for b in storage.list_buckets(cloud.namespace, cloud.compartment_id).data]
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of tests whose conftest names the plugin."""
    monkeypatch.setenv("PYTHONPATH", str(_ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(_CONFTEST)
    return pytester


@pytest.mark.parametrize("fixture", ["oci_cloud", "oci_served"])
def test_each_test_has_a_fresh_tenancy(suite: pytest.Pytester, fixture: str) -> None:
    suite.makepyfile(
        f"""{_HELPERS}
@pytest.mark.parametrize("name", ["one", "two"])
def test_alone({fixture}, name):
    assert make({fixture}, name) == [name]
    assert {fixture}.standing() == {{"bucket": 1}}
    {fixture}.advance(3600)

def test_the_environment_is_put_back():
    assert "OCI_CONFIG_FILE" not in os.environ
"""
    )
    suite.runpytest_subprocess().assert_outcomes(passed=3)


def test_commands_of_a_test_reach_the_server(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        f"""{_HELPERS}
SCRIPT = '''
import os, oci
config = oci.config.from_file(os.environ["OCI_CONFIG_FILE"])
print(oci.object_storage.ObjectStorageClient(config).get_namespace().data)
'''

def test_a_command(oci_served):
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout.strip() == oci_served.namespace, done.stderr
    assert [call.operation for call in oci_served.calls] == ["get_namespace"]
"""
    )
    suite.runpytest_subprocess().assert_outcomes(passed=1)


def test_one_server_for_the_session_which_is_gone_after_it(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_the_server(oci_server, number):
    with open("urls", "a") as file:
        file.write(oci_server.url + "\\n")
"""
    )
    suite.runpytest_subprocess().assert_outcomes(passed=2)
    first, second = (suite.path / "urls").read_text().splitlines()
    assert first == second
    import requests

    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{first}/ocimock/health", timeout=5, proxies={"http": ""})


def test_a_suite_that_does_not_ask_pays_nothing() -> None:
    """pytest imports the plugin of everybody who has ocimock installed."""
    code = (
        "import sys, ocimock.pytest_plugin; print([name for name in ('oci', 'ocimock.inprocess', "
        "'ocimock.server', 'requests', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
