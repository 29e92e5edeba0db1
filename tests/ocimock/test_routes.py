"""Routes and models, read from the SDK."""

from __future__ import annotations

import inspect

import oci
import pytest

from ocimock.registry import services
from ocimock.service import Service
from ocimock.wire import models
from ocimock.wire.errors import InvalidParameter, MissingParameter
from ocimock.wire.router import Router
from ocimock.wire.routes import endpoint_label, operations

_CLIENTS = sorted({client for service in services().values() for client in service.clients})


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_public_method_of_a_client_is_an_operation(client: str) -> None:
    package, name = client.rsplit(".", 1)
    sdk_class = getattr(__import__(package, fromlist=[name]), name)
    methods = {
        method
        for method, function in inspect.getmembers(sdk_class, inspect.isfunction)
        if not method.startswith("_") and "opc_request_id" in inspect.getsource(function)
    }
    assert methods <= {operation.name for operation in operations("any", client)}


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.name)
def test_a_service_answers_under_its_clients_hosts(service: Service) -> None:
    named = [client.rsplit(".", 1) for client in service.clients]
    classes = [getattr(__import__(package, fromlist=[name]), name) for package, name in named]
    assert {endpoint_label(sdk_class) for sdk_class in classes} - {""} <= set(service.labels)


def test_a_route_states_what_the_sdk_states() -> None:
    found = {o.name: o for o in operations("core", "oci.core.VirtualNetworkClient")}
    create = found["create_vcn"]
    assert (create.method, create.path) == ("POST", "/20160918/vcns")
    assert (create.body_model, create.body_required) == ("CreateVcnDetails", True)
    assert (create.response_model, create.response_list) == ("Vcn", False)
    assert found["list_vcns"].response_list


def test_an_object_name_may_hold_slashes_in_either_spelling() -> None:
    router = Router(operations("objectstorage", "oci.object_storage.ObjectStorageClient"))
    for path in ("/n/ns/b/bucket/o/a/b.yaml", "/n/ns/b/bucket/o/a%2Fb.yaml"):
        found = [(o.name, p) for o, p in router.match(path) if o.method == "PUT"]
        assert ("put_object", {"namespaceName": "ns", "bucketName": "bucket",
                               "objectName": "a/b.yaml"}) in found  # fmt: skip


def _check(value: object) -> None:
    models.validate("oci.core.models", "CreateSubnetDetails", value)


_SUBNET = {"cidrBlock": "10.0.0.0/24", "compartmentId": "c", "vcnId": "v"}


def test_a_right_body_passes() -> None:
    _check({**_SUBNET, "freeformTags": {"a": "b"}, "prohibitPublicIpOnVnic": True})


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"displayNme": "x"}, InvalidParameter, "Unrecognized field 'displayNme'"),
        ({"vcnId": None}, MissingParameter, "vcnId must not be null"),
        ({"prohibitPublicIpOnVnic": "yes"}, InvalidParameter, "prohibitPublicIpOnVnic must be"),
        ({"securityListIds": "x"}, InvalidParameter, "securityListIds must be a list"),
        ({"securityListIds": [1]}, InvalidParameter, r"securityListIds\[0\] must be"),
        ({"freeformTags": {"a": 1}}, InvalidParameter, r"freeformTags.a must be"),
    ],
)
def test_a_wrong_body_names_its_field(
    change: dict[str, object], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        _check({**_SUBNET, **change})


def test_a_value_outside_its_enumeration_is_refused() -> None:
    body = {"compartmentId": "c", "name": "b", "versioning": "Sometimes"}
    with pytest.raises(InvalidParameter, match="versioning: 'Sometimes' is not allowed"):
        models.validate("oci.object_storage.models", "CreateBucketDetails", body)


def test_every_handler_is_an_operation_of_the_sdk() -> None:
    assert oci.__version__
    for service in services().values():
        assert set(service.handlers) <= set(service.known())


_HIDDEN = {"environmentVariables": {"HF_TOKEN": "hf_hidden"}}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("displayName", [_HIDDEN]),
        ("displayName", _HIDDEN),
        ("freeformTags", str(_HIDDEN)),
        ("jobConfigurationDetails", [_HIDDEN]),
        ("jobConfigurationDetails", str(_HIDDEN)),
        ("jobStorageMountConfigurationDetailsList", _HIDDEN),
    ],
)
def test_an_error_repeats_nothing_of_what_may_hold_secrets(field: str, wrong: object) -> None:
    body = {"projectId": "p", "compartmentId": "c", field: wrong}
    with pytest.raises(InvalidParameter, match=field) as caught:
        models.validate("oci.data_science.models", "CreateJobDetails", body)
    assert "hf_hidden" not in str(caught.value)
