"""What Oracle's own Terraform provider relies on, spoken raw as it speaks it: over plain HTTP.

The provider is a Go program that a test cannot always have, so its calls stand here one by one. It
goes by status and header fields where the SDKs for Python look elsewhere.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ocimock.clock import Clock
from ocimock.cloud import Cloud
from ocimock.dispatch import dispatch
from ocimock.identifiers import COMPARTMENT_ID, NAMESPACE, TENANCY_ID
from ocimock.wire.message import Request, Response

_URL = "http://127.0.0.1:4711"
_HERE = {"compartmentId": COMPARTMENT_ID}
_WORK = "opc-work-request-id"


class Wire:
    """Calls to the plain HTTP face, on a clock under which what takes time is not done at once."""

    def __init__(self) -> None:
        self.cloud = Cloud(clock=Clock(pace=1.0))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        return dispatch(self.cloud, Request.from_url(method, f"{_URL}{path}", fields, raw))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON of an answer below 400; None where there is no body."""
        answer = self.send(method, path, body, **headers)
        assert answer.status < 400, answer.body
        return json.loads(bytes(answer.body)) if answer.body else None

    def until(self, path: str, state: str) -> Any:
        """Poll, as the provider does after each change, until *state* or 404."""
        for _ in range(100):
            answer = self.send("GET", path)
            found = json.loads(bytes(answer.body))
            if answer.status == 404:
                assert found["code"] == "NotAuthorizedOrNotFound"
                return None
            if found["lifecycleState"] == state:
                return found
            self.cloud.clock.advance(1)
        raise AssertionError(f"{path} is {found['lifecycleState']}, never {state}")

    def work(self, answer: Response, path: str) -> dict[str, Any]:
        """The work request that an answer names, once it has ended."""
        for _ in range(100):
            found: dict[str, Any] = self.call("GET", f"{path}/{answer.headers[_WORK]}")
            if found["status"] == "SUCCEEDED":
                return found
            self.cloud.clock.advance(1)
        raise AssertionError(f"never SUCCEEDED: {found}")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def vcn(wire: Wire) -> str:
    made = wire.call("POST", "/20160918/vcns", {**_HERE, "cidrBlocks": ["10.0.0.0/16"]})
    return str(made["id"])


@pytest.fixture
def project(wire: Wire) -> str:
    return str(wire.call("POST", "/20190101/projects", {**_HERE, "displayName": "p"})["id"])


@pytest.fixture
def vault(wire: Wire) -> dict[str, Any]:
    body = {**_HERE, "displayName": "v", "vaultType": "DEFAULT"}
    made = wire.call("POST", "/20180608/vaults", body)
    return dict(wire.until(f"/20180608/vaults/{made['id']}", "ACTIVE"))


_IN_VCN = {
    "subnets": {"cidrBlock": "10.0.1.0/24"},
    "securityLists": {"egressSecurityRules": [], "ingressSecurityRules": []},
    "routeTables": {"routeRules": []},
    "internetGateways": {"isEnabled": True},
    "natGateways": {},
    "serviceGateways": {"services": []},
    "networkSecurityGroups": {},
    "dhcps": {"options": [{"type": "DomainNameServer", "serverType": "VcnLocalPlusInternet"}]},
}


@pytest.mark.parametrize(("plural", "fields"), _IN_VCN.items())
def test_the_network_names_no_work_request(
    wire: Wire, vcn: str, plural: str, fields: dict[str, Any]
) -> None:
    """The provider would poll it at a host of OCI's that no override covers."""
    collection = f"/20160918/{plural}"
    made = wire.send("POST", collection, {**_HERE, "vcnId": vcn, **fields})
    path = f"{collection}/{json.loads(bytes(made.body))['id']}"
    assert wire.until(path, "AVAILABLE")["freeformTags"] == {}
    changed = wire.send("PUT", path, {"displayName": "n", "freeformTags": {"a": "b"}})
    assert json.loads(bytes(changed.body))["freeformTags"] == {"a": "b"}
    gone = wire.send("DELETE", path)
    assert [made.status, changed.status, gone.status] == [200, 200, 204]
    for answer in (made, changed, gone):
        assert _WORK not in answer.headers
    assert wire.until(path, "TERMINATED")["displayName"] == "n"


def test_changes_of_cidrs_name_no_work_request(wire: Wire, vcn: str) -> None:
    for action, body in (
        ("addCidr", {"cidrBlock": "10.1.0.0/16"}),
        ("modifyCidr", {"originalCidrBlock": "10.1.0.0/16", "newCidrBlock": "10.2.0.0/16"}),
        ("removeCidr", {"cidrBlock": "10.2.0.0/16"}),
    ):
        wire.until(f"/20160918/vcns/{vcn}", "AVAILABLE")
        answer = wire.send("POST", f"/20160918/vcns/{vcn}/actions/{action}", body)
        assert (answer.status, _WORK in answer.headers) == (200, False), action


def test_rules_of_a_security_group(wire: Wire, vcn: str) -> None:
    group = wire.call("POST", "/20160918/networkSecurityGroups", {**_HERE, "vcnId": vcn})["id"]
    base = f"/20160918/networkSecurityGroups/{group}"
    rule = {"direction": "EGRESS", "protocol": "all", "destination": "0.0.0.0/0"}
    added = wire.send("POST", f"{base}/actions/addSecurityRules", {"securityRules": [rule]})
    assert added.status == 200
    [made] = json.loads(bytes(added.body))["securityRules"]
    assert [found["id"] for found in wire.call("GET", f"{base}/securityRules")] == [made["id"]]
    changed = {**rule, "id": made["id"], "description": "all"}
    wire.call("POST", f"{base}/actions/updateSecurityRules", {"securityRules": [changed]})
    body = {"securityRuleIds": [made["id"]]}
    assert wire.send("POST", f"{base}/actions/removeSecurityRules", body).status == 204


@pytest.mark.parametrize(
    ("path", "body", "state"),
    [
        ("/20190101/projects", {**_HERE}, "ACTIVE"),
        ("/20190101/modelVersionSets", {**_HERE, "name": "m"}, "ACTIVE"),
        ("/20160918/container/repositories", {**_HERE, "displayName": "r"}, "AVAILABLE"),
    ],
)
def test_system_tags_are_there(
    wire: Wire, project: str, path: str, body: dict[str, Any], state: str
) -> None:
    """Without them the plan never comes clean."""
    if "VersionSets" in path:
        body = {**body, "projectId": project}
    made = wire.call("POST", path, body)
    assert wire.until(f"{path}/{made['id']}", state)["systemTags"] == {}


def test_log_groups_and_logs_go_by_work_requests(wire: Wire) -> None:
    groups, works = "/20200531/logGroups", "/20200531/workRequests"

    def touched(answer: Response) -> dict[str, str]:
        assert (answer.status, answer.body) == (202, b"")
        work = wire.work(answer, works)
        assert work["timeFinished"]
        [resource] = work["resources"]
        return dict(resource)

    made = touched(wire.send("POST", groups, {**_HERE, "displayName": "g"}))
    assert ("loggroup" in made["entityType"], made["actionType"]) == (True, "CREATED")
    group = f"{groups}/{made['identifier']}"
    assert touched(wire.send("PUT", group, {"description": "d"}))["actionType"] == "UPDATED"
    log = touched(wire.send("POST", f"{group}/logs", {"displayName": "l", "logType": "CUSTOM"}))
    assert ("log" in log["entityType"], log["actionType"]) == (True, "CREATED")
    path = f"{group}/logs/{log['identifier']}"
    assert touched(wire.send("PUT", path, {"isEnabled": False}))["actionType"] == "UPDATED"
    assert wire.call("GET", path)["isEnabled"] is False
    assert touched(wire.send("DELETE", path))["actionType"] == "DELETED"
    assert wire.until(path, "none") is None
    wire.send("DELETE", group)
    assert wire.until(group, "none") is None


def test_a_bucket_is_read_twice_and_updated_by_post(wire: Wire) -> None:
    bucket = f"/n/{NAMESPACE}/b/models"
    wire.call("POST", f"/n/{NAMESPACE}/b", {**_HERE, "name": "models", "versioning": "Enabled"})
    fields = "fields=approximateCount&fields=approximateSize&fields=autoTiering"
    for query in (fields, "fields=approximateCount%2CapproximateSize%2CautoTiering"):
        found = wire.call("GET", f"{bucket}?{query}")
        asked = [found[name] for name in ("approximateCount", "approximateSize", "autoTiering")]
        assert asked == [0, 0, "Disabled"]
    assert wire.call("GET", f"{bucket}/retentionRules") == {"items": []}
    assert wire.call("POST", bucket, {"freeformTags": {"a": "b"}})["freeformTags"] == {"a": "b"}
    assert wire.send("PUT", bucket, {}).status == 405


def test_an_objects_name_keeps_its_slashes(wire: Wire) -> None:
    bucket = f"/n/{NAMESPACE}/b/models"
    wire.call("POST", f"/n/{NAMESPACE}/b", {**_HERE, "name": "models"})
    path = f"{bucket}/o/definitions/a b+c%25.yaml".replace(" ", "%20")
    headers = {"content_type": "text/yaml", "expect": "100-continue"}
    assert wire.send("PUT", path, b"kind: job", **headers).status == 200
    got = wire.send("GET", path)
    assert (got.status, bytes(got.body)) == (200, b"kind: job")
    assert got.headers["content-type"] == "text/yaml"
    [listed] = wire.call("GET", f"{bucket}/o")["objects"]
    assert listed["name"] == "definitions/a b+c%.yaml"
    refused = wire.send("DELETE", bucket)
    assert (refused.status, json.loads(bytes(refused.body))["code"]) == (409, "BucketNotEmpty")
    assert wire.send("DELETE", path).status == 204
    assert wire.send("DELETE", bucket).status == 204


_NOTEBOOK = {"shape": "VM.Standard.E4.Flex", "blockStorageSizeInGBs": 50}


def test_a_notebook_session_is_changed_while_it_is_off(wire: Wire, vcn: str, project: str) -> None:
    subnet = {**_HERE, "vcnId": vcn, "cidrBlock": "10.0.0.0/24"}
    place = {**_NOTEBOOK, "subnetId": wire.call("POST", "/20160918/subnets", subnet)["id"]}
    body = {**_HERE, "projectId": project, "notebookSessionConfigDetails": place}
    made = wire.call("POST", "/20190101/notebookSessions", body)
    path = f"/20190101/notebookSessions/{made['id']}"
    assert wire.until(path, "ACTIVE")["notebookSessionConfigDetails"]["shape"] == _NOTEBOOK["shape"]
    wire.call("POST", f"{path}/actions/deactivate")
    wire.until(path, "INACTIVE")
    bigger = {**place, "blockStorageSizeInGBs": 100}
    # An update knows the older name only, whichever the session was made by.
    wire.call("PUT", path, {"notebookSessionConfigurationDetails": bigger})
    wire.call("POST", f"{path}/actions/activate")
    found = wire.until(path, "ACTIVE")["notebookSessionConfigDetails"]
    assert found["blockStorageSizeInGBs"] == 100
    wire.send("DELETE", path)
    assert wire.until(path, "DELETED")


def test_a_model_answers_itself_when_it_is_switched(wire: Wire, project: str) -> None:
    made = wire.call("POST", "/20190101/models", {**_HERE, "projectId": project})
    path = f"/20190101/models/{made['id']}"
    named = {"content_disposition": "attachment; filename=model.zip"}
    assert wire.send("POST", f"{path}/artifact", b"zip", **named).status < 300
    head = wire.send("HEAD", f"{path}/artifact/content")
    assert (head.status, head.headers["content-length"]) == (200, "3")
    assert "model.zip" in head.headers["content-disposition"]
    for action, state in (("deactivate", "INACTIVE"), ("activate", "ACTIVE")):
        assert wire.call("POST", f"{path}/actions/{action}")["lifecycleState"] == state
        wire.call("PUT", path, {"description": action})
    wire.send("DELETE", path)
    assert wire.until(path, "DELETED")


def test_a_job_and_its_runs_go_together(wire: Wire, project: str) -> None:
    body = {
        **_HERE,
        "projectId": project,
        "jobConfigurationDetails": {"jobType": "DEFAULT"},
        "jobInfrastructureConfigurationDetails": {
            "jobInfrastructureType": "ME_STANDALONE",
            "shapeName": "VM.GPU.A10.2",
            "blockStorageSizeInGBs": 50,
        },
    }
    job = f"/20190101/jobs/{wire.call('POST', '/20190101/jobs', body)['id']}"
    wire.until(job, "ACTIVE")
    named = {"content_disposition": "attachment; filename=run.py"}
    assert wire.send("POST", f"{job}/artifact", b"pass", **named).status < 300
    ids = {**_HERE, "projectId": project, "jobId": job.rpartition("/")[2]}
    run = f"/20190101/jobRuns/{wire.call('POST', '/20190101/jobRuns', ids)['id']}"
    wire.until(run, "SUCCEEDED")
    assert wire.send("DELETE", f"{job}?deleteRelatedJobRuns=true").status == 204
    assert wire.until(job, "DELETED")
    assert wire.until(run, "DELETED")


def test_data_science_says_when_its_work_was_finished(wire: Wire, project: str) -> None:
    """A finished work request without timeFinished costs the provider minutes of retries."""
    model = wire.call("POST", "/20190101/models", {**_HERE, "projectId": project})["id"]
    wire.send("POST", f"/20190101/models/{model}/artifact", b"zip")
    details = {
        "deploymentType": "SINGLE_MODEL",
        "modelConfigurationDetails": {
            "modelId": model,
            "instanceConfiguration": {"instanceShapeName": "VM.GPU.A10.2"},
        },
    }
    body = {**_HERE, "projectId": project, "modelDeploymentConfigurationDetails": details}
    created = wire.send("POST", "/20190101/modelDeployments", body)
    path = f"/20190101/modelDeployments/{json.loads(bytes(created.body))['id']}"
    works = "/20190101/workRequests"
    answers = [(created, "CREATED")]
    wire.until(path, "ACTIVE")
    answers.append((wire.send("PUT", path, {"description": "d"}), "UPDATED"))
    wire.until(path, "ACTIVE")
    answers.append((wire.send("DELETE", path), "DELETED"))
    for answer, action in answers:
        work = wire.work(answer, works)
        [touched] = work["resources"]
        assert work["timeFinished"]
        assert (touched["entityType"], touched["actionType"]) == ("model-deployment", action)
    assert wire.until(path, "DELETED")
    sets = "/20190101/modelVersionSets"
    made = wire.call("POST", sets, {**_HERE, "projectId": project, "name": "m"})
    work = wire.work(wire.send("DELETE", f"{sets}/{made['id']}"), works)
    assert (work["resources"][0]["entityType"], "timeFinished" in work) == ("modelversionset", True)


def test_a_vault_answers_for_its_keys_over_plain_http(wire: Wire, vault: dict[str, Any]) -> None:
    """The provider takes a key's endpoint from its vault, and no override reaches that."""
    assert vault["managementEndpoint"] == _URL
    shape = {"algorithm": "AES", "length": 32}
    made = wire.call("POST", "/20180608/keys", {**_HERE, "displayName": "k", "keyShape": shape})
    key = f"/20180608/keys/{made['id']}"
    assert wire.until(key, "ENABLED")["vaultId"] == vault["id"]
    content = {"contentType": "BASE64", "content": "aGY="}
    ids = {**_HERE, "vaultId": vault["id"], "keyId": made["id"]}
    body = {**ids, "secretName": "s", "secretContent": content}
    secret = f"/20180608/secrets/{wire.call('POST', '/20180608/secrets', body)['id']}"
    assert "aGY=" not in json.dumps(wire.until(secret, "ACTIVE"))
    for path in (secret, key, f"/20180608/vaults/{vault['id']}"):
        wire.call("POST", f"{path}/actions/scheduleDeletion", {})
        assert wire.until(path, "PENDING_DELETION")["timeOfDeletion"]


def test_with_two_vaults_a_plain_endpoint_is_nobodys(wire: Wire, vault: dict[str, Any]) -> None:
    other = {**_HERE, "displayName": "other", "vaultType": "DEFAULT"}
    made = wire.call("POST", "/20180608/vaults", other)
    assert made["managementEndpoint"] == vault["managementEndpoint"]
    body = {**_HERE, "displayName": "k", "keyShape": {"algorithm": "AES", "length": 32}}
    refused = wire.send("POST", "/20180608/keys", body)
    assert (refused.status, "2 vaults stand" in str(refused.body)) == (501, True)


def test_data_sources(wire: Wire) -> None:
    assert wire.call("GET", f"/n?compartmentId={COMPARTMENT_ID}") == NAMESPACE
    for path in (
        "/20160918/services",
        f"/20160918/availabilityDomains?compartmentId={TENANCY_ID}",
        f"/20160918/compartments?compartmentId={TENANCY_ID}",
        f"/20190101/notebookSessionShapes?compartmentId={COMPARTMENT_ID}",
    ):
        found = wire.call("GET", path)
        assert isinstance(found, list), path
        assert found, path


def test_lists_go_on_at_the_page_that_they_name(wire: Wire, vcn: str) -> None:
    for number in range(3):
        body = {**_HERE, "vcnId": vcn, "cidrBlock": f"10.0.{number}.0/24"}
        wire.call("POST", "/20160918/subnets", body)
    first = wire.send("GET", f"/20160918/subnets?compartmentId={COMPARTMENT_ID}&limit=2")
    query = f"compartmentId={COMPARTMENT_ID}&limit=2&page={first.headers['opc-next-page']}"
    second = wire.send("GET", f"/20160918/subnets?{query}")
    assert [len(json.loads(bytes(answer.body))) for answer in (first, second)] == [2, 1]
    assert "opc-next-page" not in second.headers


def test_what_is_not_there_is_worth_a_retry_or_not(wire: Wire) -> None:
    """A 404 is retried for minutes after a change of identity's; a 501 is not retried at all."""
    absent = wire.send("GET", "/20160918/vcns/ocid1.vcn.oc1.fra.none")
    assert (absent.status, json.loads(bytes(absent.body))["code"]) == (
        404,
        "NotAuthorizedOrNotFound",
    )
    nowhere = wire.send("GET", "/20160918/nothing")
    assert (nowhere.status, json.loads(bytes(nowhere.body))["code"]) == (501, "NotImplemented")
    for answer in (absent, nowhere):
        assert set(json.loads(bytes(answer.body))) == {"code", "message"}
        assert answer.headers["opc-request-id"]


def test_a_create_sent_again_creates_once(wire: Wire) -> None:
    body = {**_HERE, "displayName": "p"}
    first = wire.call("POST", "/20190101/projects", body, opc_retry_token="again")
    assert wire.call("POST", "/20190101/projects", body, opc_retry_token="again") == first
    listed = wire.call("GET", f"/20190101/projects?compartmentId={COMPARTMENT_ID}")
    assert len(listed) == 1
