"""One log group with three custom logs: what jobs print, what deployments predict and are asked."""

from constructs import Construct

from infra.oci.generated.logging import Log, LogGroup
from infra.tenancy.schema import Tenancy


class Logs:
    """The group, and the logs ``job``, ``predict`` and ``access``."""

    def __init__(self, scope: Construct, tenancy: Tenancy) -> None:
        self.group = LogGroup(
            scope,
            "log_group",
            compartment_id=tenancy.compartment_ocid,
            display_name=f"{tenancy.prefix}-logs",
            description="Jobs and model deployments",
            freeform_tags=tenancy.tags or None,
        )
        self.job = self._log(scope, tenancy, "job")
        self.predict = self._log(scope, tenancy, "predict")
        self.access = self._log(scope, tenancy, "access")

    def _log(self, scope: Construct, tenancy: Tenancy, name: str) -> Log:
        return Log(
            scope,
            f"{name}_log",
            log_group_id=self.group.id,
            display_name=f"{tenancy.prefix}-{name}",
            log_type="CUSTOM",
            is_enabled=True,
            retention_duration=tenancy.log_retention_days,
            freeform_tags=tenancy.tags or None,
        )
