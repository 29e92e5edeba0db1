"""Requests that OCI refuses: one table over all services, each with its status, code and words.

Nothing that is refused leaves anything behind; a last test sees to that.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import oci
import pytest
import requests

from ocimock import MockedTenancy, ServedCloud, mock_oci
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import NS, M, Workbench, make_log, workbench

cm = oci.core.models
im = oci.identity.models
om = oci.object_storage.models
km = oci.key_management.models
vm = oci.vault.models
lm = oci.logging.models
am = oci.artifacts.models
mm = oci.monitoring.models
BUCKET = "bucket"
MISSING = "ocid1.{}.oc1.fra.aaaaaaaamissing"
HOSTS = {
    "datascience": "datascience.eu-frankfurt-1.oci.oraclecloud.com",
    "identity": "identity.us-ashburn-1.oci.oraclecloud.com",
    "iaas": "iaas.eu-frankfurt-1.oraclecloud.com",
    "objectstorage": "objectstorage.eu-frankfurt-1.oraclecloud.com",
}


class Room:
    """A tenancy in which something of everything stands."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.mocked = mocked
        self.bench: Workbench = workbench(mocked)
        self.compartment = mocked.compartment_id
        self.science, self.storage = self.bench.science, self.bench.storage
        self.network = client(mocked, oci.core.VirtualNetworkClient)
        self.home = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
        self.away = client(mocked, oci.identity.IdentityClient)
        self.vaults = client(mocked, oci.key_management.KmsVaultClient)
        self.secrets = client(mocked, oci.vault.VaultsClient)
        self.bundles = client(mocked, oci.secrets.SecretsClient)
        self.logging = client(mocked, oci.logging.LoggingManagementClient)
        self.search = client(mocked, oci.loggingsearch.LogSearchClient)
        self.images = client(mocked, oci.artifacts.ArtifactsClient)
        self.metrics = client(mocked, oci.monitoring.MonitoringClient)
        self.limits = client(mocked, oci.limits.LimitsClient)
        self.resources = client(mocked, oci.resource_search.ResourceSearchClient)
        self.other_group, self.other_log = make_log(mocked, "other")
        self.vcn = self.network.get_subnet(self.bench.subnet).data.vcn_id
        self.job = self.bench.job()
        self.run = self.bench.run(self.job)
        self.model = self.bench.model()
        self._store()
        self._lock_up()

    def _store(self) -> None:
        self.storage.put_object(NS, BUCKET, "o", b"0123456789")
        details = om.CreateMultipartUploadDetails(object="parts")
        self.upload = self.storage.create_multipart_upload(NS, BUCKET, details).data.upload_id
        self.part = self.storage.upload_part(NS, BUCKET, "parts", self.upload, 1, b"x")
        self.images.create_container_repository(
            am.CreateContainerRepositoryDetails(
                compartment_id=self.compartment, display_name="taken"
            )
        )

    def _lock_up(self) -> None:
        details = {"compartment_id": self.compartment}
        self.vault = self.vaults.create_vault(
            km.CreateVaultDetails(display_name="v", vault_type="DEFAULT", **details)
        ).data
        self.keys = client(
            self.mocked,
            oci.key_management.KmsManagementClient,
            service_endpoint=self.vaults.get_vault(self.vault.id).data.management_endpoint,
        )
        self.key = self.new_key("AES", 32)
        self.rsa = self.new_key("RSA", 256)
        self.secret = self.new_secret()

    def new_key(self, algorithm: str, length: int) -> Any:
        shape = km.KeyShape(algorithm=algorithm, length=length)
        return self.keys.create_key(
            km.CreateKeyDetails(compartment_id=self.compartment, display_name="k", key_shape=shape)
        ).data

    def new_secret(self, text: str = "c2VjcmV0", **fields: Any) -> Any:
        fields = {
            "secret_name": "s",
            "vault_id": self.vault.id,
            "key_id": self.key.id,
            "secret_content": vm.Base64SecretContentDetails(content=text),
            **fields,
        }
        details = vm.CreateSecretDetails(compartment_id=self.compartment, **fields)
        return self.secrets.create_secret(details).data

    # What rows ask for

    def raw(self, method: str, host: str, path: str, body: Any = None, **headers: str) -> None:
        """A signed request that the SDK's models would not build; raises the SDK's error.

        *body* is sent as it is where it is bytes, and as JSON otherwise.
        """
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        found = requests.request(
            method,
            f"https://{HOSTS[host]}{path}",
            data=data if method in ("POST", "PUT", "PATCH") else None,
            headers={"content-type": "application/json", **sent},
            auth=oci.signer.Signer.from_config(self.mocked.config),
            timeout=30,
        )
        assert found.status_code >= 400, found.text
        fault = found.json()
        raise oci.exceptions.ServiceError(
            found.status_code, fault["code"], found.headers, fault["message"]
        )

    def project(self, **fields: Any) -> Any:
        fields = {"compartment_id": self.compartment, **fields}
        return self.science.create_project(M.CreateProjectDetails(**fields))

    def new_job(self, **changes: Any) -> Any:
        return self.science.create_job(self.bench.job_details(**changes))

    def new_job_on(self, **changes: Any) -> Any:
        return self.new_job(
            job_infrastructure_configuration_details=self.bench.infrastructure(**changes)
        )

    def nodes(self, replicas: int = 2, **changes: Any) -> Any:
        return self.science.create_job(self.bench.nodes_details(replicas, **changes))

    def mounts(self, *names: str) -> Any:
        mounts = [
            M.ObjectStorageMountConfigurationDetails(
                namespace=NS, bucket=BUCKET, destination_directory_name=name
            )
            for name in names
        ]
        return self.new_job(job_storage_mount_configuration_details_list=mounts)

    def logs(self, **fields: Any) -> Any:
        details = M.JobLogConfigurationDetails(enable_logging=True, **fields)
        return self.new_job(job_log_configuration_details=details)

    def notebook(self, **config: Any) -> Any:
        config = {"shape": "VM.Standard.E4.Flex", **config}
        return self.science.create_notebook_session(
            M.CreateNotebookSessionDetails(
                project_id=self.bench.project,
                compartment_id=self.compartment,
                notebook_session_config_details=M.NotebookSessionConfigDetails(**config),
            )
        )

    def deploy(self, model: str = "", **changes: Any) -> Any:
        details = self.bench.deployment_details(model or self.model.id, **changes)
        return self.science.create_model_deployment(details)

    def subnet(self, **fields: Any) -> Any:
        fields = {"cidr_block": "10.0.7.0/24", "vcn_id": self.vcn, **fields}
        details = cm.CreateSubnetDetails(compartment_id=self.compartment, **fields)
        return self.network.create_subnet(details)

    def new_vcn(self, *cidrs: str, **fields: Any) -> Any:
        details = cm.CreateVcnDetails(
            compartment_id=self.compartment, cidr_blocks=list(cidrs), **fields
        )
        return self.network.create_vcn(details)

    def allow(self, **rule: Any) -> Any:
        """A security list with one rule."""
        rule = {"protocol": "6", "source": "0.0.0.0/0", **rule}
        details = cm.CreateSecurityListDetails(
            compartment_id=self.compartment,
            vcn_id=self.vcn,
            ingress_security_rules=[cm.IngressSecurityRule(**rule)],
            egress_security_rules=[],
        )
        return self.network.create_security_list(details)

    def route(self, **rule: Any) -> Any:
        rule = {
            "destination": "0.0.0.0/0",
            "network_entity_id": MISSING.format("natgateway"),
        } | rule
        details = cm.CreateRouteTableDetails(
            compartment_id=self.compartment, vcn_id=self.vcn, route_rules=[cm.RouteRule(**rule)]
        )
        return self.network.create_route_table(details)

    def policy(self, *statements: str) -> Any:
        details = im.CreatePolicyDetails(
            compartment_id=self.compartment, name="p", description="d", statements=list(statements)
        )
        return self.home.create_policy(details)

    def matching(self, rule: str) -> Any:
        details = im.CreateDynamicGroupDetails(
            compartment_id=self.mocked.tenancy_id, name="d", description="d", matching_rule=rule
        )
        return self.home.create_dynamic_group(details)

    def group(self, api: Any, name: str = "g", description: str = "d") -> Any:
        details = im.CreateGroupDetails(
            compartment_id=self.mocked.tenancy_id, name=name, description=description
        )
        return api.create_group(details)

    def bucket(self, name: str = "new", **fields: Any) -> Any:
        fields = {"compartment_id": self.compartment, **fields}
        return self.storage.create_bucket(NS, om.CreateBucketDetails(name=name, **fields))

    def commit(self, number: int, etag: str) -> Any:
        part = om.CommitMultipartUploadPartDetails(part_num=number, etag=etag)
        details = om.CommitMultipartUploadDetails(parts_to_commit=[part])
        return self.storage.commit_multipart_upload(NS, BUCKET, "parts", self.upload, details)

    def begin(self, **fields: Any) -> Any:
        details = om.CreateMultipartUploadDetails(object="parts", **fields)
        return self.storage.create_multipart_upload(NS, BUCKET, details)

    def link(self, hours: float, **fields: Any) -> Any:
        fields = {"access_type": "ObjectRead", "object_name": "o", **fields}
        details = om.CreatePreauthenticatedRequestDetails(
            name="p", time_expires=datetime.now(UTC) + timedelta(hours=hours), **fields
        )
        return self.storage.create_preauthenticated_request(NS, BUCKET, details)

    def log(self, **fields: Any) -> Any:
        fields = {"display_name": "new", "log_type": "CUSTOM", **fields}
        return self.logging.create_log(self.bench.group, lm.CreateLogDetails(**fields))

    def find_lines(self, query: str, hours: float = -1) -> Any:
        now = datetime.now(UTC)
        details = oci.loggingsearch.models.SearchLogsDetails(
            time_start=now + timedelta(hours=hours), time_end=now, search_query=query
        )
        return self.search.search_logs(details)

    def measure(self, query: str) -> Any:
        now = datetime.now(UTC)
        details = mm.SummarizeMetricsDataDetails(
            namespace="gpu", query=query, start_time=now - timedelta(hours=1), end_time=now
        )
        return self.metrics.summarize_metrics_data(self.compartment, details)

    def put(self, **options: Any) -> Any:
        return self.storage.put_object(NS, BUCKET, "o", b"other", **options)


@dataclass(frozen=True)
class Row:
    """A request, and how it is refused: status, code, and words of the message."""

    what: str
    ask: Callable[[Room], Any]
    status: int
    code: str
    words: tuple[str, ...] = ()


def bad(what: str, ask: Callable[[Room], Any], *words: str) -> Row:
    return Row(what, ask, 400, "InvalidParameter", words)


def lacking(what: str, ask: Callable[[Room], Any], *words: str) -> Row:
    return Row(what, ask, 400, "MissingParameter", words)


def gone(what: str, ask: Callable[[Room], Any], *words: str) -> Row:
    return Row(what, ask, 404, "NotAuthorizedOrNotFound", words)


PROJECTS = "/20190101/projects"
LONG = "x" * 256


def _post(room: Room, body: Any) -> None:
    room.raw("POST", "datascience", PROJECTS, body)


def _shared(room: Room, **fields: Any) -> dict[str, Any]:
    return {"compartmentId": room.compartment, **fields}


def _twice(room: Room, second: str) -> Any:
    """The same retry token with two names; what the first made goes."""
    made = room.science.create_project(
        M.CreateProjectDetails(compartment_id=room.compartment, display_name="first"),
        opc_retry_token="one token",
    ).data
    try:
        return room.science.create_project(
            M.CreateProjectDetails(compartment_id=room.compartment, display_name=second),
            opc_retry_token="one token",
        )
    finally:
        room.science.delete_project(made.id)


ROWS = [
    # Any body
    bad("unknown field", lambda r: _post(r, _shared(r, displayNme="x")), "'displayNme'"),
    bad("wrong type", lambda r: _post(r, {"compartmentId": 5}), "compartmentId", "str"),
    bad("a list for a text", lambda r: _post(r, _shared(r, displayName=["x"])), "displayName"),
    lacking("no required field", lambda r: r.project(compartment_id=None), "compartmentId"),
    Row("no JSON", lambda r: _post(r, b"{"), 400, "CannotParseRequest", ("not JSON",)),
    Row("no body", lambda r: _post(r, b""), 400, "CannotParseRequest"),
    Row("a JSON list", lambda r: _post(r, []), 400, "CannotParseRequest", ("object",)),
    Row("nested too deep", lambda r: _post(r, b"[" * 10**6), 400, "CannotParseRequest", ("deep",)),
    Row(
        "half a character",
        lambda r: _post(r, b'{"displayName": "\\ud800"}'),
        400,
        "CannotParseRequest",
        ("surrogates",),
    ),
    Row("not UTF-8", lambda r: _post(r, b'{"displayName": "\xff"}'), 400, "CannotParseRequest"),
    Row("no number", lambda r: _post(r, b'{"x": NaN}'), 400, "CannotParseRequest", ("NaN",)),
    bad(
        "an endless number",
        lambda r: r.nodes(replicas=10**400),
        "replicas",
    ),
    bad("over-long name", lambda r: r.project(display_name=LONG), "displayName", "255 are allowed"),
    bad(
        "too many tags",
        lambda r: r.project(freeform_tags={f"k{n}": "v" for n in range(11)}),
        "freeformTags",
        "11 tags",
    ),
    bad("tag key with a space", lambda r: r.project(freeform_tags={"a b": "v"}), "'a b'"),
    bad("empty tag key", lambda r: r.project(freeform_tags={"": "v"}), "freeformTags"),
    bad(
        "over-long tag",
        lambda r: r.project(freeform_tags={"k": "v" * 257}),
        "freeformTags.k",
        "256 are allowed",
    ),
    bad(
        "over-long defined tag",
        lambda r: r.project(defined_tags={"ns": {"k": "v" * 257}}),
        "definedTags.ns.k",
    ),
    bad(
        "tags that are no map",
        lambda r: _post(r, _shared(r, definedTags={"ns": "v"})),
        "definedTags.ns",
    ),
    gone("no such compartment", lambda r: r.project(compartment_id="nonsense"), "nonsense"),
    # Any path
    Row(
        "wrong verb",
        lambda r: r.raw("PATCH", "datascience", PROJECTS, {}),
        405,
        "MethodNotAllowed",
        ("GET, POST",),
    ),
    Row(
        "a path that is not UTF-8",
        lambda r: r.raw("PUT", "objectstorage", f"/n/{NS}/b/{BUCKET}/o/a%FF", b"x"),
        400,
        "CannotParseRequest",
        ("a%FF",),
    ),
    Row(
        "no such path", lambda r: r.raw("GET", "datascience", "/20190101/x"), 501, "NotImplemented"
    ),
    gone("no such resource", lambda r: r.science.get_job(MISSING.format("datasciencejob"))),
    gone("an OCID of another kind", lambda r: r.science.get_job(r.bench.project), "job"),
    gone("no such work request", lambda r: r.science.get_work_request("ocid1.x"), "ocid1.x"),
    # Any list
    bad("limit 0", lambda r: r.science.list_jobs(r.compartment, limit=0), "limit"),
    bad("limit 101", lambda r: r.science.list_jobs(r.compartment, limit=101), "limit", "100"),
    bad("limit 1001", lambda r: r.network.list_vcns(r.compartment, limit=1001), "limit", "1000"),
    bad("limit x", lambda r: r.science.list_jobs(r.compartment, limit="x"), "limit", "'x'"),
    bad("limit ²", lambda r: r.science.list_jobs(r.compartment, limit="²"), "limit", "'²'"),
    bad("endless limit", lambda r: r.science.list_jobs(r.compartment, limit="9" * 5000), "limit"),
    bad("page ²", lambda r: r.storage.list_buckets(NS, r.compartment, page="²"), "page '²'"),
    bad("endless page", lambda r: r.storage.list_buckets(NS, r.compartment, page="9" * 5000)),
    bad(
        "a page of another type",
        lambda r: r.science.list_jobs(r.compartment, page="WzEsIG51bGwsIDFd"),
        "page 'WzEsIG51bGwsIDFd'",
    ),
    bad("wrong page", lambda r: r.science.list_jobs(r.compartment, page="!"), "page '!'"),
    bad(
        "wrong order",
        lambda r: r.raw(
            "GET", "datascience", f"{PROJECTS}?compartmentId={r.compartment}&sortBy=size"
        ),
        "sortBy",
        "'size'",
    ),
    bad(
        "unknown parameter",
        lambda r: r.raw("GET", "datascience", f"{PROJECTS}?compartmentId={r.compartment}&colour=1"),
        "'colour'",
    ),
    lacking(
        "no compartment in a list",
        lambda r: r.raw("GET", "datascience", "/20190101/workRequests"),
        "compartmentId",
    ),
    # Any change
    Row(
        "stale if-match",
        lambda r: r.science.update_project(
            r.bench.project, M.UpdateProjectDetails(description="d"), if_match="stale"
        ),
        412,
        "NoEtagMatch",
        ("stale",),
    ),
    Row(
        "a retry token with another body",
        lambda r: _twice(r, "second"),
        409,
        "InvalidatedRetryToken",
        ("one token",),
    ),
    # Data Science: jobs
    bad(
        "bad enum",
        lambda r: r.raw(
            "POST",
            "datascience",
            "/20190101/jobs",
            _shared(r, projectId=r.bench.project, jobConfigurationDetails={"jobType": "FAST"}),
        ),
        "jobType",
    ),
    bad("unknown shape", lambda r: r.new_job_on(shape_name="VM.GPU.Z9"), "shapeName", "VM.GPU.Z9"),
    bad("too little storage", lambda r: r.new_job_on(block_storage_size_in_gbs=49), "GBs: 49"),
    bad("too much storage", lambda r: r.new_job_on(block_storage_size_in_gbs=10241), "GBs: 10241"),
    gone(
        "a job in no subnet", lambda r: r.new_job_on(subnet_id=MISSING.format("subnet")), "subnet"
    ),
    gone("a job in no project", lambda r: r.new_job(project_id="ocid1.p"), "ocid1.p"),
    lacking(
        "a job on nothing",
        lambda r: r.new_job(job_infrastructure_configuration_details=None),
        "jobInfrastructureConfigurationDetails",
    ),
    gone(
        "a log that is not there",
        lambda r: r.logs(log_group_id=r.bench.group, log_id=MISSING.format("log")),
        "log",
    ),
    lacking("logging without a group", lambda r: r.logs(log_id=r.bench.log), "logGroupId"),
    bad(
        "a log of another group",
        lambda r: r.logs(log_group_id=r.bench.group, log_id=r.other_log),
        "logId",
    ),
    bad("six mounts", lambda r: r.mounts(*"abcdef"), "6 given, 5 are allowed"),
    bad("two mounts in one place", lambda r: r.mounts("a", "a"), "List[1]", "taken already"),
    bad("no replicas", lambda r: r.nodes(0), "replicas: 0"),
    bad("more successes than replicas", lambda r: r.nodes(minimum_success_replicas=9), "minimumS"),
    bad(
        "an endless run",
        lambda r: r.new_job(
            job_configuration_details=M.DefaultJobConfigurationDetails(
                maximum_runtime_in_minutes=43_201
            )
        ),
        "maximumRuntimeInMinutes",
    ),
    gone("a run of no job", lambda r: r.bench.run(SimpleNamespace(id="ocid1.j")), "ocid1.j"),
    bad(
        "a run that overrides nodes of a job without",
        lambda r: r.bench.run(
            r.job,
            job_node_configuration_override_details=M.MultiNodeJobNodeConfigurationDetails(),
        ),
        "jobNodeConfigurationOverrideDetails",
    ),
    Row(
        "a second artifact",
        lambda r: r.science.create_job_artifact(r.job.id, b"x", content_disposition="filename=x"),
        409,
        "IncorrectState",
    ),
    Row(
        "the end of a run that is over",
        lambda r: r.science.cancel_job_run(r.run.id),
        409,
        "IncorrectState",
        ("SUCCEEDED",),
    ),
    # Data Science: notebooks, models, deployments
    bad("a notebook of no shape", lambda r: r.notebook(shape="VM.Huge"), "shape", "VM.Huge"),
    bad("a notebook too small", lambda r: r.notebook(block_storage_size_in_gbs=10), "GBs: 10"),
    gone("a notebook in no subnet", lambda r: r.notebook(subnet_id="ocid1.s"), "ocid1.s"),
    gone("a deployment of no model", lambda r: r.deploy("ocid1.m"), "ocid1.m"),
    bad(
        "a deployment of no instances",
        lambda r: r.deploy(
            configuration={"scaling_policy": M.FixedSizeScalingPolicy(instance_count=0)}
        ),
        "instanceCount: 0",
    ),
    bad(
        "a deployment on no shape", lambda r: r.deploy(instance={"instance_shape_name": "X"}), "'X'"
    ),
    bad(
        "an environment too large",
        lambda r: r.deploy(
            environment=M.OcirModelDeploymentEnvironmentConfigurationDetails(
                image="i", environment_variables={"PARAMS": "x" * 2048}
            )
        ),
        "environmentVariables",
        "2048",
    ),
    bad(
        "a variable with a wrong name",
        lambda r: r.deploy(
            environment=M.OcirModelDeploymentEnvironmentConfigurationDetails(
                image="i", environment_variables={"A-B": "x"}
            )
        ),
        "environmentVariables",
        "A-B",
    ),
    bad(
        "a command too long",
        lambda r: r.new_job(
            job_environment_configuration_details=M.OcirContainerJobEnvironmentConfigurationDetails(
                image="i", cmd=["x" * 2000], entrypoint=["x" * 48]
            )
        ),
        "cmd",
        "2048",
    ),
    gone("no version set", lambda r: r.bench.model(model_version_set_id="ocid1.v"), "ocid1.v"),
    gone("no provenance", lambda r: r.science.get_model_provenance(r.model.id), "provenance"),
    # Networking
    bad("no CIDR", lambda r: r.new_vcn("10.0.0.0"), "cidrBlocks[0]"),
    bad("host bits", lambda r: r.new_vcn("10.1.0.1/16"), "10.1.0.1/16"),
    bad("too wide", lambda r: r.new_vcn("10.0.0.0/8"), "/16 to /30"),
    bad("blocks that overlap", lambda r: r.new_vcn("10.1.0.0/16", "10.1.0.0/20"), "cidrBlocks[1]"),
    lacking("a network of nothing", lambda r: r.new_vcn(), "cidrBlocks"),
    bad("DNS label", lambda r: r.new_vcn("10.1.0.0/16", dns_label="1st"), "dnsLabel: '1st'"),
    bad("a subnet outside", lambda r: r.subnet(cidr_block="10.9.0.0/24"), "cidrBlock", "within"),
    bad("subnets that overlap", lambda r: r.subnet(cidr_block="10.0.0.0/25"), "overlaps"),
    bad("no such domain", lambda r: r.subnet(availability_domain="AD-9"), "availabilityDomain"),
    gone("a subnet in no network", lambda r: r.subnet(vcn_id="ocid1.v"), "ocid1.v"),
    bad("protocol", lambda r: r.allow(protocol="tcp"), "ingressSecurityRules[0].protocol"),
    bad("source", lambda r: r.allow(source="10.0.0.300/8"), "ingressSecurityRules[0].source"),
    bad(
        "ports",
        lambda r: r.allow(
            tcp_options=cm.TcpOptions(destination_port_range=cm.PortRange(min=90, max=80))
        ),
        "destinationPortRange",
        "90-80",
    ),
    gone("a route to nowhere", lambda r: r.route(), "natgateway"),
    # Identity
    Row(
        "a write away from home",
        lambda r: r.group(r.away),
        403,
        "NotAllowed",
        ("home region IAD",),
    ),
    bad("over-long group", lambda r: r.group(r.home, "g" * 101), "name", "100 are allowed"),
    bad("over-long words", lambda r: r.group(r.home, description="d" * 401), "description", "400"),
    bad("bad policy", lambda r: r.policy("Permit group g to read all"), "statement"),
    bad("no statements", lambda r: r.policy(), "statements"),
    bad("bad matching rule", lambda r: r.matching("any {resource.type = 'x'"), "matchingRule"),
    Row(
        "a name that is taken",
        lambda r: r.home.create_compartment(
            im.CreateCompartmentDetails(
                compartment_id=r.mocked.tenancy_id, name="sandbox", description="d"
            )
        ),
        409,
        "CompartmentAlreadyExists",
    ),
    # Object Storage
    Row("namespace", lambda r: r.storage.get_bucket("other", BUCKET), 404, "NamespaceNotFound"),
    Row("bucket's name", lambda r: r.bucket("a/b"), 400, "InvalidBucketName"),
    Row("bucket that is taken", lambda r: r.bucket(BUCKET), 409, "BucketAlreadyExists"),
    Row("no bucket", lambda r: r.storage.list_objects(NS, "nosuch"), 404, "BucketNotFound"),
    Row("no object", lambda r: r.storage.get_object(NS, BUCKET, "no"), 404, "ObjectNotFound"),
    bad(
        "versioning",
        lambda r: r.raw(
            "POST", "objectstorage", f"/n/{NS}/b", _shared(r, name="n", versioning="Sometimes")
        ),
        "versioning",
    ),
    Row(
        "MD5",
        lambda r: r.put(content_md5=base64.b64encode(b"0" * 16).decode()),
        400,
        "UnmatchedContentMD5",
    ),
    bad(
        "a line end in metadata",
        lambda r: r.begin(metadata={"a": "x\r\nb: y"}),
        "metadata.a",
        "line ends",
    ),
    bad("a name of metadata", lambda r: r.begin(metadata={"é": "x"}), "metadata", "'é'"),
    bad("a line end in a type", lambda r: r.begin(content_type="x\ny"), "contentType"),
    bad(
        "a line end in an answer's field",
        lambda r: r.storage.get_object(NS, BUCKET, "o", http_response_content_type="x\ny"),
        "httpResponseContentType",
    ),
    bad(
        "an end before all time",
        lambda r: r.raw(
            "POST",
            "objectstorage",
            f"/n/{NS}/b/{BUCKET}/p",
            {"name": "p", "accessType": "AnyObjectRead", "timeExpires": "0001-01-01T00:00:00"},
        ),
        "timeExpires",
    ),
    bad("no MD5", lambda r: r.put(content_md5="!"), "Content-MD5"),
    Row(
        "range",
        lambda r: r.storage.get_object(NS, BUCKET, "o", range="bytes=99-"),
        416,
        "InvalidRange",
    ),
    Row("if-none-match", lambda r: r.put(if_none_match="*"), 412, "IfNoneMatchFailed"),
    Row("if-match", lambda r: r.put(if_match="stale"), 412, "IfMatchFailed"),
    bad(
        "part 0",
        lambda r: r.storage.upload_part(NS, BUCKET, "parts", r.upload, 0, b"x"),
        "uploadPartNum",
    ),
    bad(
        "part 10001",
        lambda r: r.storage.upload_part(NS, BUCKET, "parts", r.upload, 10_001, b"x"),
        "uploadPartNum",
    ),
    Row(
        "no upload",
        lambda r: r.storage.upload_part(NS, BUCKET, "parts", "nosuch", 1, b"x"),
        404,
        "NoSuchUpload",
    ),
    Row("a part that is missing", lambda r: r.commit(2, "e"), 400, "InvalidUploadPart"),
    Row("a part that is another", lambda r: r.commit(1, "stale"), 400, "InvalidUploadPart"),
    bad("a link of the past", lambda r: r.link(-1), "timeExpires"),
    lacking("a link to no object", lambda r: r.link(1, object_name=None), "objectName"),
    bad("delimiter", lambda r: r.storage.list_objects(NS, BUCKET, delimiter="-"), "delimiter '-'"),
    bad("fields", lambda r: r.storage.list_objects(NS, BUCKET, fields="colour"), "fields"),
    # Vaults
    bad("key length", lambda r: r.new_key("AES", 17), "keyShape.length: 17"),
    bad(
        "deleted too soon",
        lambda r: r.keys.schedule_key_deletion(
            r.key.id,
            km.ScheduleKeyDeletionDetails(time_of_deletion=datetime.now(UTC) + timedelta(days=6)),
        ),
        "timeOfDeletion",
        "7 to 30 days",
    ),
    bad("secret that is taken", lambda r: r.new_secret(), "'s'"),
    bad("secret's name", lambda r: r.new_secret(secret_name="a b"), "secretName"),
    bad("no base64", lambda r: r.new_secret("!", secret_name="n"), "secretContent.content"),
    bad("an RSA key", lambda r: r.new_secret(secret_name="n", key_id=r.rsa.id), "keyId"),
    gone("no vault", lambda r: r.new_secret(secret_name="n", vault_id="ocid1.v"), "ocid1.v"),
    gone("no key", lambda r: r.new_secret(secret_name="n", key_id="ocid1.k"), "ocid1.k"),
    lacking(
        "no content", lambda r: r.new_secret(secret_name="n", secret_content=None), "secretContent"
    ),
    gone(
        "no version",
        lambda r: r.bundles.get_secret_bundle(r.secret.id, version_number=9),
        "version 9",
    ),
    # Logging, Monitoring and the small ones
    bad("retention", lambda r: r.log(retention_duration=45), "retentionDuration: 45"),
    bad("log's name", lambda r: r.log(display_name="a b"), "displayName"),
    bad("search", lambda r: r.find_lines("search everything"), "searchQuery"),
    bad("time runs forward", lambda r: r.find_lines(f'search "{r.compartment}"', 1), "timeEnd"),
    bad("metric query", lambda r: r.measure("gpu"), "query"),
    bad(
        "repository",
        lambda r: r.images.create_container_repository(
            am.CreateContainerRepositoryDetails(compartment_id=r.compartment, display_name="A B")
        ),
        "displayName",
    ),
    Row(
        "repository that is taken",
        lambda r: r.images.create_container_repository(
            am.CreateContainerRepositoryDetails(compartment_id=r.compartment, display_name="taken")
        ),
        409,
        "ResourceAlreadyExists",
    ),
    bad(
        "limits away from the root",
        lambda r: r.limits.list_limit_values(r.compartment, "data-science"),
        "compartmentId",
    ),
    gone(
        "no such limit",
        lambda r: r.limits.get_resource_availability("data-science", "ds-x", r.compartment),
        "ds-x",
    ),
    bad(
        "resource query",
        lambda r: r.resources.search_resources(
            oci.resource_search.models.StructuredSearchDetails(query="find all")
        ),
        "query",
    ),
]


@pytest.fixture(scope="module", params=["process", "server"])
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    if request.param == "process":
        with mock_oci() as mocked:
            yield Room(mocked)
        return
    served = ServedCloud(request.getfixturevalue("server"))
    served.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, text in served.environment.items():
            patch.setenv(name, text)
        yield Room(served)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_bad_input(room: Room, row: Row) -> None:
    before = room.mocked.standing()
    with refused(row.status, row.code, *row.words):
        row.ask(room)
    assert room.mocked.standing() == before


def test_the_table_is_long_and_says_each_thing_once() -> None:
    names = [row.what for row in ROWS]
    assert len(set(names)) == len(names) >= 60
