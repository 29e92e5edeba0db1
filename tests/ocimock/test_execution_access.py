"""What runs that really run may reach: the mock, as themselves, and buckets that are mounted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock.server.announcement import ServerFile
from tests.ocimock.executing import Bench, bench_at, executing_server
from tests.ocimock.support import client
from tests.ocimock.workbench import NS, M

_ids = oci.identity.models
_READS = """
import os, oci
signer = oci.auth.signers.get_resource_principals_signer()
storage = oci.object_storage.ObjectStorageClient({}, signer=signer)
try:
    print("read", storage.get_object("ocimock", "bucket", "data/a").data.text)
except oci.exceptions.ServiceError as fault:
    print("refused", fault.status, fault.code)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with executing_server(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def bench(server: ServerFile) -> Iterator[Bench]:
    with bench_at(server) as found:
        yield found


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    with executing_server(tmp_path_factory.mktemp("home"), "--enforce-iam") as found:
        yield found


@pytest.fixture
def governed(enforcing: ServerFile) -> Iterator[Bench]:
    """A tenancy that enforces its policies."""
    with bench_at(enforcing) as found:
        yield found


_PAGES = """
import json, os, requests
pages = (("POST", "principals"), ("POST", "clock"), ("POST", "nodes"), ("GET", "calls"))
for url in (os.environ["HTTPS_PROXY"], "https://iaas.eu-frankfurt-1.oraclecloud.com"):
    for method, page in pages:
        answer = requests.request(method, f"{url}/ocimock/{page}", data=json.dumps(%r))
        print(page, answer.status_code, "key_content" in answer.text)
"""


def test_what_runs_on_a_node_gets_nothing_of_the_mocks_own_pages(bench: Bench) -> None:
    """They would make it the tenancy's administrator, or another run's murderer."""
    run = bench.run(bench.job(_PAGES % {"user": bench.served.settings.user_id}))
    assert run.lifecycle_state == "SUCCEEDED", bench.lines(run)
    lines = bench.lines(run)
    assert len(lines) == 8
    assert all(line.endswith(" 403 False") for line in lines), lines
    assert bench.served.calls  # to others they are there


def _allow(bench: Bench, *statements: str) -> None:
    """Let the job runs of the tenancy do what *statements* say."""
    identity = client(bench.served, oci.identity.IdentityClient, region="us-ashburn-1")
    root = bench.served.tenancy_id
    identity.create_dynamic_group(
        _ids.CreateDynamicGroupDetails(
            compartment_id=root,
            name="runs",
            description="d",
            matching_rule="ALL {resource.type='datasciencejobrun'}",
        )
    )
    base = (
        "allow service datascience to use virtual-network-family in tenancy",
        "allow dynamic-group runs to manage data-science-family in tenancy",
        "allow dynamic-group runs to use log-content in tenancy",
    )
    identity.create_policy(
        _ids.CreatePolicyDetails(
            compartment_id=root,
            name="runs",
            description="d",
            statements=[*base, *[f"allow dynamic-group runs to {said}" for said in statements]],
        )
    )


def _put(bench: Bench, name: str, text: str) -> None:
    bench.work.storage.put_object(NS, bench.work.bucket, name, text.encode())


def _get(bench: Bench, name: str) -> str:
    return str(bench.work.storage.get_object(NS, bench.work.bucket, name).data.content.decode())


def _names(bench: Bench, prefix: str = "") -> list[str]:
    found = bench.work.storage.list_objects(NS, bench.work.bucket, prefix=prefix).data.objects
    return [item.name for item in found]


# A variable, since nodes that are not kept apart have no /mnt of their own: it is translated.
_OUT = {"OUT": "/mnt/outputs"}


def _job(bench: Bench, script: str, prefix: str = "out") -> Any:
    mount = M.ObjectStorageMountConfigurationDetails(
        namespace=NS,
        bucket=bench.work.bucket,
        prefix=prefix,
        destination_directory_name="outputs",
    )
    return bench.job(
        "import os, pathlib, time; out = pathlib.Path(os.environ['OUT'])\n" + script,
        variables=_OUT,
        job_storage_mount_configuration_details_list=[mount],
    )


def test_a_run_calls_as_itself(bench: Bench) -> None:
    _put(bench, "data/a", "content")
    assert bench.lines(bench.run(bench.job(_READS))) == ["read content"]


def test_what_policies_allow_a_run_may_do(governed: Bench) -> None:
    _put(governed, "data/a", "content")
    _allow(governed, "read objects in tenancy")
    run = governed.run(governed.job(_READS))
    assert governed.lines(run) == ["read content"], run.lifecycle_details


def test_what_no_policy_allows_a_run_may_not(governed: Bench) -> None:
    _put(governed, "data/a", "content")
    _allow(governed)
    run = governed.run(governed.job(_READS))
    assert governed.lines(run) == ["refused 404 BucketNotFound"]


def test_a_token_is_worth_nothing_when_its_run_has_ended(bench: Bench) -> None:
    script = "import os\nfor n in ('RPST', 'PRIVATE_PEM'):\n"
    script += "    print(open(os.environ['OCI_RESOURCE_PRINCIPAL_' + n]).read())"
    run = bench.work.run(bench.job(script + "\nimport time\nwhile True: time.sleep(60)"))
    bench.until_line(run, "-----END PRIVATE KEY-----")
    token, *pem = bench.lines(run)
    signer = oci.auth.signers.EphemeralResourcePrincipalSigner(
        session_token=token, private_key="\n".join(pem), region="eu-frankfurt-1"
    )
    science = oci.data_science.DataScienceClient({"region": "eu-frankfurt-1"}, signer=signer)
    plain = {"retry_strategy": oci.retry.NoneRetryStrategy()}
    assert science.get_job_run(run.id, **plain).data.id == run.id
    bench.work.science.cancel_job_run(run.id)
    bench.ended(run)
    with pytest.raises(oci.exceptions.ServiceError) as raised:
        science.get_job_run(run.id, **plain)
    assert raised.value.status == 401


def test_a_forged_token_is_refused_although_no_signatures_are_verified(bench: Bench) -> None:
    script = """
import os, oci, pathlib
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives import serialization as s
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption())
token = pathlib.Path(os.environ["OCI_RESOURCE_PRINCIPAL_RPST"]).read_text()
signer = oci.auth.signers.EphemeralResourcePrincipalSigner(
    session_token=token, private_key=pem.decode(), region="eu-frankfurt-1")
storage = oci.object_storage.ObjectStorageClient({}, signer=signer)
try:
    storage.get_namespace()
except oci.exceptions.ServiceError as fault:
    print("refused", fault.status)
"""
    assert bench.lines(bench.run(bench.job(script))) == ["refused 401"]


def test_a_mounted_bucket_has_what_is_below_its_prefix(bench: Bench) -> None:
    _put(bench, "out/a", "A")
    _put(bench, "out/deep/b", "B")
    _put(bench, "outside", "not there")
    run = bench.run(
        _job(
            bench,
            "for path in sorted(p for p in out.rglob('*') if p.is_file()):\n"
            "    print(path.relative_to(out), path.read_text())",
        )
    )
    assert bench.lines(run) == ["a A", "deep/b B"]


def test_what_a_run_changes_in_a_mount_is_in_the_bucket(bench: Bench) -> None:
    for name in ("kept", "changed", "deleted"):
        _put(bench, f"out/{name}", name)
    script = "(out / 'new').mkdir(); (out / 'new/file').write_text('made')\n"
    script += "(out / 'changed').write_text('anew'); (out / 'deleted').unlink()"
    bench.run(_job(bench, script))
    assert _names(bench) == ["out/changed", "out/kept", "out/new/file"]
    assert [_get(bench, name) for name in ("out/changed", "out/new/file")] == ["anew", "made"]


def test_what_a_failing_run_wrote_is_in_the_bucket_too(bench: Bench) -> None:
    run = bench.run(_job(bench, "(out / 'left').write_text('so far'); raise SystemExit(1)"))
    assert run.lifecycle_state == "FAILED"
    assert _get(bench, "out/left") == "so far"


def test_a_file_goes_to_the_bucket_while_the_run_goes_on_and_others_come(bench: Bench) -> None:
    script = """
(out / 'first').write_text('first')
while not (out / 'answer').exists():
    time.sleep(0.05)
print((out / 'answer').read_text())
"""
    run = bench.work.run(_job(bench, script))
    deadline = time.monotonic() + 30
    while "out/first" not in _names(bench):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bench.get(run).lifecycle_state == "IN_PROGRESS"
    _put(bench, "out/answer", "from elsewhere")
    run = bench.ended(run)
    assert bench.lines(run) == ["from elsewhere"]
    assert _names(bench) == ["out/answer", "out/first"]


def test_a_mount_that_policies_forbid_fails_the_run_at_its_start(governed: Bench) -> None:
    _allow(governed, "read objects in tenancy", "read buckets in tenancy")
    run = governed.run(_job(governed, "print('ran')"))
    assert run.lifecycle_state == "FAILED"
    assert "could not mount bucket 'bucket' at outputs" in run.lifecycle_details
    assert governed.lines(run) == []


def test_a_bucket_that_is_not_there_can_not_be_mounted(bench: Bench) -> None:
    bench.work.storage.delete_bucket(NS, bench.work.bucket)
    run = bench.run(_job(bench, "print('ran')"))
    assert "bucket 'bucket' for outputs can't be mounted" in run.lifecycle_details


def test_a_file_system_is_there_for_the_next_run(bench: Bench) -> None:
    mount = M.FileStorageMountConfigurationDetails(
        mount_target_id="ocid1.mounttarget.oc1.fra.one",
        export_id="ocid1.export.oc1.fra.one",
        destination_directory_name="outputs",
    )
    script = "import os, pathlib; at = pathlib.Path(os.environ['OUT']) / 'count'\n"
    script += "n = int(at.read_text()) if at.exists() else 0; print(n); at.write_text(str(n + 1))"
    job = bench.job(script, variables=_OUT, job_storage_mount_configuration_details_list=[mount])
    first = bench.lines(bench.run(job))
    assert [int(line) for line in bench.lines(bench.run(job))] == [int(first[0]) + 1]
