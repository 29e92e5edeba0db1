"""What breaks where things lie: project, limits, logs, bucket, vault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import oci

from tests.jobs.preflight.whole import Whole

Mend = Callable[[str], None]


def delete_project(made: Whole) -> Mend:
    science, models = made.admin(oci.data_science.DataScienceClient), oci.data_science.models
    science.delete_notebook_session(made.places["notebook"])
    science.get_notebook_session(made.places["notebook"])
    science.delete_project(made.places["project"])

    def mend(_remedy: str) -> None:
        details = models.CreateProjectDetails(compartment_id=made.cloud.compartment_id)
        made.places["project"] = science.create_project(details).data.id
        made.emit()

    return mend


def lower_limit(name: str, value: int) -> Callable[[Whole], Mend]:
    def breaks(made: Whole) -> Mend:
        made.cloud.limits.set(name, value)
        return lambda _remedy: made.cloud.limits.clear()

    return breaks


def write_quota(statement: str) -> Callable[[Whole], Mend]:
    def breaks(made: Whole) -> Mend:
        client = made.admin(oci.limits.QuotasClient)
        client.base_client.set_region(made.cloud.settings.home_region)
        details = oci.limits.models.CreateQuotaDetails(
            compartment_id=made.cloud.tenancy_id,
            name="gpus",
            description="of the platform team",
            statements=[statement.format(where=_name_of_compartment(made))],
        )
        quota = client.create_quota(details).data.id
        return lambda _remedy: client.delete_quota(quota) and None

    return breaks


def delete_log(made: Whole) -> Mend:
    """That of the jobs."""
    logging, group = made.admin(oci.logging.LoggingManagementClient), made.places["log group"]
    logging.delete_log(group, made.places["jobs log"])

    def mend(_remedy: str) -> None:
        details = oci.logging.models.CreateLogDetails(display_name="jobs", log_type="CUSTOM")
        logging.create_log(group, details)
        [log] = [each for each in logging.list_logs(group).data if each.display_name == "jobs"]
        made.places["jobs log"] = log.id
        made.emit()

    return mend


def delete_bucket(made: Whole) -> Mend:
    storage, bucket = _storage(made), made.places["bucket"]
    namespace = made.cloud.namespace
    for found in storage.list_object_versions(namespace, bucket).data.items:
        storage.delete_object(namespace, bucket, found.name, version_id=found.version_id)
    storage.delete_bucket(namespace, bucket)

    def mend(_remedy: str) -> None:
        details = oci.object_storage.models.CreateBucketDetails(
            name=bucket, compartment_id=made.cloud.compartment_id, versioning="Enabled"
        )
        storage.create_bucket(namespace, details)

    return mend


def suspend_versioning(made: Whole) -> Mend:
    return _versioning(made, "Suspended", "Enabled")


def schedule_deletion_of_the_secret(made: Whole) -> Mend:
    vaults = made.admin(oci.vault.VaultsClient)
    [secret] = vaults.list_secrets(
        made.cloud.compartment_id, name=made.tenancy.vault.secret_name
    ).data
    later = datetime.now(UTC) + timedelta(days=3)
    details = oci.vault.models.ScheduleSecretDeletionDetails(time_of_deletion=later)
    vaults.schedule_secret_deletion(secret.id, details)

    return lambda _remedy: vaults.cancel_secret_deletion(secret.id) and None


def _versioning(made: Whole, now: str, then: str) -> Mend:
    def be(state: str) -> None:
        details = oci.object_storage.models.UpdateBucketDetails(versioning=state)
        _storage(made).update_bucket(made.cloud.namespace, made.places["bucket"], details)

    be(now)
    return lambda _remedy: be(then)


def _storage(made: Whole) -> Any:
    return made.admin(oci.object_storage.ObjectStorageClient)


def _name_of_compartment(made: Whole) -> str:
    client = made.admin(oci.identity.IdentityClient)
    return str(client.get_compartment(made.cloud.compartment_id).data.name)
