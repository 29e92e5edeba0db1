"""ADS finds service conda environments by their slugs, in Oracle's own bucket."""

from __future__ import annotations

import json
from typing import Any

import ads
import oci
import pytest
from ads.model.runtime.env_info import InferenceEnvInfo
from ads.model.runtime.utils import get_service_packs
from ocifs import OCIFileSystem

from ocimock import Settings, mock_oci
from ocimock.tenancy import MockedTenancy
from tests.ocimock.support import client, refused

NAMESPACE, BUCKET = "id19sfcrra6z", "service-conda-packs"
INDEX = "service_pack/index.json"


@pytest.fixture
def storage(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.object_storage.ObjectStorageClient)


def _auth(mocked: MockedTenancy) -> dict[str, Any]:
    """This test's: ADS and ocifs keep those of an earlier one."""
    ads.set_auth("api_key", oci_config_location=str(mocked.credentials.config_file))
    OCIFileSystem.clear_instance_cache()
    return {"config": mocked.config, "iam_type": "api_key"}


def test_ads_lists_the_environments(mocked: MockedTenancy) -> None:
    by_path, by_slug = get_service_packs(NAMESPACE, BUCKET, auth=_auth(mocked))
    path, python = by_slug["pytorch20_p39_gpu_v2"]
    assert python == "3.9"
    assert path.startswith(f"oci://{BUCKET}@{NAMESPACE}/service_pack/gpu/")
    assert by_path[path] == ("pytorch20_p39_gpu_v2", "3.9")


def test_ads_finds_an_environment_by_its_slug(mocked: MockedTenancy) -> None:
    found = InferenceEnvInfo.from_slug(
        "pytorch28_p312_gpu_x86_64_v1", NAMESPACE, BUCKET, auth=_auth(mocked)
    )
    assert found.inference_python_version == "3.12"
    assert found.inference_env_path.endswith("/pytorch28_p312_gpu_x86_64_v1")


def test_the_index_is_read_as_any_object(storage: Any) -> None:
    whole = storage.get_object(NAMESPACE, BUCKET, INDEX)
    assert len(json.loads(whole.data.content)["service_packs"]) >= 5
    assert storage.head_object(NAMESPACE, BUCKET, INDEX).headers["etag"] == whole.headers["etag"]
    part = storage.get_object(NAMESPACE, BUCKET, INDEX, range="bytes=2-14")
    assert (part.status, part.data.content) == (206, b"service_packs")
    listed = storage.list_objects(NAMESPACE, BUCKET, prefix="service_pack/").data.objects
    assert [found.name for found in listed] == [INDEX]
    assert storage.list_objects(NAMESPACE, BUCKET, prefix="other").data.objects == []


def test_a_pack_is_refused_by_name(storage: Any) -> None:
    path = "service_pack/gpu/PyTorch_2.0_for_GPU_on_Python_3.9/2.0/pytorch20_p39_gpu_v2"
    with refused(501, "NotImplemented", "not the packs", "pytorch20_p39_gpu_v2"):
        storage.get_object(NAMESPACE, BUCKET, path)
    with refused(404, "ObjectNotFound", "other"):
        storage.get_object(NAMESPACE, BUCKET, "other")


def test_nothing_is_written_there(storage: Any) -> None:
    with refused(404, "NamespaceNotFound", NAMESPACE):
        storage.put_object(NAMESPACE, BUCKET, INDEX, b"{}")


def test_everybody_may_read_it_and_nobody_write() -> None:
    with mock_oci(Settings(enforce_iam=True, verify_signatures=True)) as mocked:
        identity = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
        details = oci.identity.models.CreateUserDetails(
            compartment_id=mocked.tenancy_id, name="reader", description="d"
        )
        config = mocked.user_config(identity.create_user(details).data.id)
        storage = oci.object_storage.ObjectStorageClient(
            config, retry_strategy=oci.retry.NoneRetryStrategy()
        )
        assert storage.get_object(NAMESPACE, BUCKET, INDEX).status == 200
        with pytest.raises(oci.exceptions.ServiceError) as caught:
            storage.put_object(NAMESPACE, BUCKET, INDEX, b"{}")
        assert caught.value.status == 404
