"""To call as somebody else than the seeded user: another user, or a resource of the tenancy.

The keys are throwaway ones, made once in a process for each OCID: making one takes its time.
"""

from __future__ import annotations

import functools

from .cloud import Cloud
from .iam import keys, tokens
from .identifiers import REGION_KEYS
from .store import Record
from .wire.errors import LimitExceeded, NotAuthorizedOrNotFound

_REGIONS = {key: name for name, key in REGION_KEYS.items()}


def user_config(cloud: Cloud, user_id: str) -> dict[str, str]:
    """The configuration of *user_id* for SDK clients, with an API key that the user now has.

    :raises NotAuthorizedOrNotFound: the tenancy has no such user.
    :raises LimitExceeded: the user has as many API keys as there can be.
    """
    with cloud.transaction():
        user = _find(cloud, user_id)
        pem = _session_pem(user_id)
        public = keys.public_pem(pem)
        present = [
            key.data["fingerprint"]
            for key in cloud.store.live(keys.API_KEY)
            if key.data["userId"] == user.id
        ]
        if keys.fingerprint(public) not in present:
            if len(present) >= keys.MOST:
                raise LimitExceeded(f"user {user.id} has {keys.MOST} API keys already")
            keys.add(cloud, user.id, public)
    return {
        "user": user.id,
        "tenancy": cloud.settings.tenancy_id,
        "fingerprint": keys.fingerprint(public),
        "key_content": pem.decode(),
        "region": cloud.settings.region,
    }


def resource_principal(cloud: Cloud, resource_id: str) -> dict[str, str]:
    """The environment variables in which *resource_id* finds its resource principal (version 2.2).

    OCI gives paths of files to a notebook session or a job run; the SDK takes contents as well.
    The token is good for a day.

    :raises NotAuthorizedOrNotFound: the tenancy has no such resource.
    """
    with cloud.transaction():
        resource = _find(cloud, resource_id)
        pem = _session_pem(resource.id)
        token = tokens.issue(cloud, resource, pem)
    place = resource.id.split(".")[3]
    return {
        "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
        "OCI_RESOURCE_PRINCIPAL_RPST": token,
        "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": pem.decode(),
        "OCI_RESOURCE_PRINCIPAL_REGION": _REGIONS.get(place, place) or cloud.settings.region,
    }


def _find(cloud: Cloud, identifier: str) -> Record:
    """The live record with that OCID; an OCID's second word is its kind's name."""
    words = identifier.split(".")
    found = cloud.store.find(words[1], identifier) if len(words) == 5 else None
    if found is None or found.deleted:
        raise NotAuthorizedOrNotFound(
            f"Authorization failed or requested resource not found: {identifier}"
        )
    return found


@functools.cache
def _session_pem(_identifier: str) -> bytes:
    return keys.new_private_pem()
