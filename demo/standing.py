"""What stands in the embedded OCI, in a reader's words."""

from __future__ import annotations

from collections.abc import Mapping

# Kinds of resources by who looks after them, as (singular, plural).
_GROUPS = {
    "network": {
        "vcn": ("VCN", "VCNs"),
        "subnet": ("subnet", "subnets"),
        "natgateway": ("NAT gateway", "NAT gateways"),
        "servicegateway": ("service gateway", "service gateways"),
        "routetable": ("route table", "route tables"),
        "securitylist": ("security list", "security lists"),
        "dhcpoptions": ("set of DHCP options", "sets of DHCP options"),
    },
    "data": {
        "bucket": ("bucket", "buckets"),
        "object": ("object in it", "objects in it"),
        "vault": ("vault", "vaults"),
        "key": ("key", "keys"),
        "vaultsecret": ("secret", "secrets"),
        "containerrepo": ("container repository", "container repositories"),
    },
    "identity": {
        "dynamicgroup": ("dynamic group", "dynamic groups"),
        "policy": ("policy", "policies"),
    },
    "logging": {
        "loggroup": ("log group", "log groups"),
        "log": ("log", "logs"),
    },
    "data science": {
        "datascienceproject": ("project", "projects"),
        "datasciencenotebooksession": ("notebook session", "notebook sessions"),
        "datasciencejob": ("job", "jobs"),
        "datasciencejobrun": ("job run", "job runs"),
        "datasciencemodel": ("model", "models"),
        "datasciencemodeldeployment": ("model deployment", "model deployments"),
    },
}


def described(standing: Mapping[str, int]) -> dict[str, str]:
    """A line for each group that has something; what is not known here is shown as it is called.

    :param standing: how many there are of each kind.
    """
    known = {kind for kinds in _GROUPS.values() for kind in kinds}
    groups = {
        **_GROUPS,
        "other": {kind: (kind, kind) for kind in sorted(standing) if kind not in known},
    }
    lines = {
        group: ", ".join(
            f"{standing[kind]} {names[standing[kind] > 1]}"
            for kind, names in kinds.items()
            if standing.get(kind)
        )
        for group, kinds in groups.items()
    }
    return {group: line for group, line in lines.items() if line}
