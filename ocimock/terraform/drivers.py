"""Resources whose life departs from the common way in a step or two."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from ocimock.terraform.calls import NotFoundFailure
from ocimock.terraform.convert import to_model
from ocimock.terraform.driver import Change, Driver, State
from ocimock.terraform.exceptions import UnsupportedError


class PolicyDriver(Driver):
    """A policy's state carries checksums by which the real provider compares statements."""

    def state(self, model: Any, carry: State) -> State:
        state = super().state(model, carry)
        text = "#".join(model.statements or [])
        state["policyHash"] = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        state["ETag"] = state["lastUpdateETag"] = getattr(model, "etag", None)
        return state

    def fetch(self, state: State) -> Any:
        response = self.call("get_policy", state, *self.path(state))
        response.data.etag = response.headers.get("etag")
        return response.data


class CompartmentDriver(Driver):
    """A compartment stands in the tenancy by default, and is deleted only on request."""

    def create(self, change: Change) -> State:
        parent = change.planned["compartment_id"] or self.calls.tenancy
        planned = {**change.planned, "compartment_id": parent}
        return super().create(replace(change, planned=planned))

    def delete(self, state: State) -> None:
        if state.get("enable_delete"):
            super().delete(state)


class VcnDriver(Driver):
    """A VCN's CIDR blocks change one at a time, by operations of their own."""

    def update(self, change: Change) -> State:
        prior, planned = change.prior, change.planned
        for name in ("is_ipv6enabled", "ipv6private_cidr_blocks"):
            if planned[name] != prior[name]:
                raise UnsupportedError(f"{name}: the stand-in cannot change it in place.", name)
        if planned["cidr_blocks"] != prior["cidr_blocks"]:
            self._change_blocks(prior, planned["cidr_blocks"], prior["cidr_blocks"] or [])
        return super().update(change)

    def _change_blocks(self, prior: State, wanted: list[str], present: list[str]) -> None:
        added = [block for block in wanted if block not in present]
        removed = [block for block in present if block not in wanted]
        models = self.resource.models
        match added, removed:
            case [new], []:
                details = models.cls("AddVcnCidrDetails")(cidr_block=new)
                self.call("add_vcn_cidr", prior, prior["id"], details)
            case [], [old]:
                details = models.cls("RemoveVcnCidrDetails")(cidr_block=old)
                self.call("remove_vcn_cidr", prior, prior["id"], details)
            case [new], [old]:
                details = models.cls("ModifyVcnCidrDetails")(
                    original_cidr_block=old, new_cidr_block=new
                )
                self.call("modify_vcn_cidr", prior, prior["id"], details)
            case _:
                raise UnsupportedError(
                    "cidr_blocks: add, remove or change one block at a time, a new one at the end.",
                    "cidr_blocks",
                )


class SecurityRuleDriver(Driver):
    """A rule of a network security group has no operations of its own: its group has them."""

    def create(self, change: Change) -> State:
        planned = change.planned
        rule = self.details(self.resource.create, planned)
        models = self.resource.models
        details = models.cls("AddNetworkSecurityGroupSecurityRulesDetails")(security_rules=[rule])
        answer = self._on_group("add", planned, details)
        return self.state(answer.data.security_rules[0], planned)

    def fetch(self, state: State) -> Any:
        group = state["network_security_group_id"]
        page = None
        while True:
            more: dict[str, Any] = {} if page is None else {"page": page}
            answer = self.call("list_network_security_group_security_rules", state, group, **more)
            for rule in answer.data:
                if rule.id == state["id"]:
                    return rule
            page = answer.headers.get("opc-next-page")
            if page is None:
                raise NotFoundFailure(f"Security rule {state['id']} is not in {group}")

    def update(self, change: Change) -> State:
        prior, planned = change.prior, change.planned
        # The service takes whole rules only.
        rule = to_model(
            self.resource.models,
            self.resource.update,
            self.block,
            {name: value for name, value in planned.items() if name not in self.resource.own},
        )
        rule.id = prior["id"]
        models = self.resource.models
        details = models.cls("UpdateNetworkSecurityGroupSecurityRulesDetails")(
            security_rules=[rule]
        )
        self._on_group("update", prior, details)
        return {**planned, "id": prior["id"]}

    def delete_call(self, state: State) -> Any:
        models = self.resource.models
        details = models.cls("RemoveNetworkSecurityGroupSecurityRulesDetails")(
            security_rule_ids=[state["id"]]
        )
        return self._on_group("remove", state, details)

    def _on_group(self, verb: str, state: State, details: Any) -> Any:
        operation = f"{verb}_network_security_group_security_rules"
        return self.call(operation, state, state["network_security_group_id"], details)


class LogDriver(Driver):
    """A log lives in its group and moves between groups by an operation of its own."""

    def update(self, change: Change) -> State:
        prior, planned = change.prior, change.planned
        if planned["log_group_id"] != prior["log_group_id"]:
            details = self.resource.models.cls("ChangeLogLogGroupDetails")(
                target_log_group_id=planned["log_group_id"]
            )
            response = self.call("change_log_log_group", prior, *self.path(prior), details)
            self.calls.finish(self.resource.service, response, self.resource.noun)
            prior = {**prior, "log_group_id": planned["log_group_id"]}
        return super().update(replace(change, prior=prior))


class KeyDriver(Driver):
    """A key's `desired_state` is its lifecycle state as the configuration names it."""

    def state(self, model: Any, carry: State) -> State:
        state = super().state(model, carry)
        state["desired_state"] = model.lifecycle_state
        return state

    def create(self, change: Change) -> State:
        if change.planned["desired_state"] not in (None, "ENABLED"):
            raise UnsupportedError(
                'desired_state: a key can only be created "ENABLED"; disable it afterwards.',
                "desired_state",
            )
        return super().create(change)

    def update(self, change: Change) -> State:
        prior, planned = change.prior, change.planned
        state = super().update(change)
        if planned["desired_state"] != prior["desired_state"]:
            verb = "enable" if planned["desired_state"] == "ENABLED" else "disable"
            self.call(f"{verb}_key", prior, prior["id"])
        return state


class SwitchableDriver(Driver):
    """Something with a `state` that the configuration may set to ACTIVE or INACTIVE."""

    def settle(self, state: State, change: Change) -> State:
        settled = super().settle(state, change)
        wanted = (change.config.get("state") or "").upper()
        if wanted in ("", settled["state"]):
            return settled
        self.switch(settled, wanted)
        return super().settle(settled, change)

    def switch(self, state: State, wanted: str) -> None:
        """Activate or deactivate, and wait for it."""
        verb = "activate" if wanted == "ACTIVE" else "deactivate"
        response = self.call(f"{verb}_{self.resource.noun}", state, *self.path(state))
        self.calls.finish(self.resource.service, response, self.resource.noun)
        self.calls.settled(lambda: self.fetch(state), self.resource.failed)


class NotebookSessionDriver(SwitchableDriver):
    """A notebook session changes only while it is inactive."""

    def update(self, change: Change) -> State:
        if change.prior["state"] == "ACTIVE":
            self.switch(change.prior, "INACTIVE")
        return super().update(change)

    def settle(self, state: State, change: Change) -> State:
        # What an update switched off is on again afterwards, unless the plan says otherwise.
        wanted = change.config.get("state") or change.planned.get("state")
        return super().settle(state, replace(change, config={**change.config, "state": wanted}))


class JobRunDriver(Driver):
    """A job run is ready when it has ended, or at once where it is `asynchronous`."""

    def settle(self, state: State, change: Change) -> State:
        if change.planned.get("asynchronous"):
            return self.state(self.fetch(state), state)
        return super().settle(state, change)
