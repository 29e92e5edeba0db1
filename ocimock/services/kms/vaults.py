"""Vaults."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import datetime

from ... import deletion
from ...cloud import Cloud
from ...limits import counts_in
from ...resources import Kind, crud, get_live, show
from ...service import Call, Handler
from ...store import Record
from ...wire.errors import NotAuthorizedOrNotFound, NotImplementedByMock
from ...wire.message import Response
from .base import SERVICE

VAULT = Kind(
    name="vault",
    model="Vault",
    path_id="vaultId",
    noun="vault",
    plural="vaults",
    defaults=(("isPrimary", True), ("isVaultReplicable", False)),
    create_seconds=1.0,
    update_seconds=0.3,
)
# A vault that waits to be deleted counts too.
_LIMITS = {"DEFAULT": "virtual-vault-count", "VIRTUAL_PRIVATE": "virtual-private-vault-count"}
counts_in(VAULT.name)
# What waits to be deleted together with its vault.
_CONTENTS = ("key", "vaultsecret")
# Days. Source: OCI's API reference, ScheduleVaultDeletion.
_EARLIEST_DELETION = 7


def vault_of(call: Call) -> Record:
    """The vault whose management endpoint was called.

    A vault's own host carries its key. A loopback host does not: there must be one vault only.

    :raises NotAuthorizedOrNotFound: there is no such vault.
    :raises NotImplementedByMock: there are several, and the host does not say which is meant.
    """
    vaults = [record for record in call.cloud.store.live(VAULT.name) if not record.history]
    if not call.request.is_loopback:
        label = call.request.host.split(".")[0].removesuffix("-management").removesuffix("-crypto")
        vaults = [vault for vault in vaults if _endpoint_key(vault) == label]
    if not vaults:
        raise NotAuthorizedOrNotFound(f"there is no vault behind {call.request.host}")
    if len(vaults) > 1:
        raise NotImplementedByMock(
            f"{len(vaults)} vaults stand, and over plain HTTP ocimock can't tell whose endpoint "
            "this is; reach it by HTTPS_PROXY, or keep one vault"
        )
    return vaults[0]


def _endpoint_key(vault: Record) -> str:
    """The label that a vault's own hosts begin with."""
    return vault.id[-13:]


def _furnish(call: Call, record: Record) -> None:
    if record.data["vaultType"] == "EXTERNAL":
        raise NotImplementedByMock("ocimock has no external key managers: vaultType EXTERNAL")
    cloud, key = call.cloud, _endpoint_key(record)
    host = f"kms.{call.region}.oraclecloud.com"
    record.data |= {
        "managementEndpoint": f"https://{key}-management.{host}",
        "cryptoEndpoint": f"https://{key}-crypto.{host}",
        "wrappingkeyId": cloud.ids.new("key", call.region),
    }
    cloud.limits.claim(record, call.region, {_LIMITS[record.data["vaultType"]]: 1})


@SERVICE.operation("schedule_vault_deletion")
def _schedule_deletion(call: Call) -> Response:
    vault = deletion.schedule(call, VAULT, earliest=_EARLIEST_DELETION)
    at = datetime.fromisoformat(vault.data["timeOfDeletion"]).timestamp()
    for record in _contents(call, vault):
        if not record.history:
            deletion.set_pending(call, record, at)
            record.private["with vault"] = True
    return show(vault)


@SERVICE.operation("cancel_vault_deletion")
def _cancel_deletion(call: Call) -> Response:
    vault = deletion.cancel(call, VAULT)
    for record in _contents(call, vault):
        if record.private.pop("with vault", False):
            deletion.revive(call, record)
    return show(vault)


@deletion.at_end(VAULT.name)
def _end(cloud: Cloud, vault: Record) -> None:
    """What is in a vault goes with it, whatever its own time was."""
    for kind in _CONTENTS:
        for record in list(cloud.store.live_to_change(kind)):
            if record.data["vaultId"] == vault.id:
                deletion.end(cloud, record)


@SERVICE.operation("get_vault_usage")
def _usage(call: Call) -> Response:
    vault = get_live(call, VAULT)
    keys = [record for record in _contents(call, vault) if record.kind == "key"]
    versions = [
        version
        for version in call.cloud.store.live("keyversion")
        if version.data["vaultId"] == vault.id
    ]
    software = {key.id for key in keys if key.data["protectionMode"] == "SOFTWARE"}
    in_software = [version for version in versions if version.data["keyId"] in software]
    return Response.of_json(
        {
            "keyCount": len(keys) - len(software),
            "keyVersionCount": len(versions) - len(in_software),
            "softwareKeyCount": len(software),
            "softwareKeyVersionCount": len(in_software),
        }
    )


def _contents(call: Call, vault: Record) -> list[Record]:
    return [
        record
        for kind in _CONTENTS
        for record in call.cloud.store.live_to_change(kind)
        if record.data["vaultId"] == vault.id
    ]


def _reachable(handler: Handler) -> Handler:
    """A client that came over plain HTTP, past the proxy, finds a vault's endpoints there too."""

    @functools.wraps(handler)
    def answer(call: Call) -> Response:
        response = handler(call)
        if not call.request.is_loopback or response.status != 200:
            return response
        shown = json.loads(bytes(response.body))
        for vault in shown if isinstance(shown, list) else [shown]:
            vault |= dict.fromkeys(("managementEndpoint", "cryptoEndpoint"), call.request.base_url)
        return replace(response, body=json.dumps(shown).encode())

    return answer


crud(SERVICE, VAULT, on_create=_furnish, only=("create", "get", "list", "update", "move"))
for _name in (
    "create_vault",
    "get_vault",
    "list_vaults",
    "update_vault",
    "schedule_vault_deletion",
    "cancel_vault_deletion",
):
    SERVICE.handlers[_name] = _reachable(SERVICE.handlers[_name])
