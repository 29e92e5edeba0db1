"""What holds for every kind of resource: states on the clock, etags, retry tokens, lists."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock import mock_oci
from ocimock.wire.routes import choices, parameters
from tests.ocimock.furnished import KINDS, Furnished, Kind
from tests.ocimock.support import refused

each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.noun for kind in KINDS])
# What chooses no resources.
_PAGING = {"limit", "page", "sortby", "sortorder", "opcrequestid", "allowcontrolchars"}
_PAGING |= {"enablestricturlencoding", "ifmatch"}
# An OCID with its resource type, its region (a key or none) and its unique part.
_OCID = re.compile(r"ocid1\.([a-z]+)\.oc1\.(fra|)\.[a-z0-9]{60}")


@pytest.fixture
def timed() -> Iterator[Furnished]:
    """A tenancy in which everything takes its time, on a clock that the test owns."""
    with mock_oci(pace=1000) as mocked:
        yield Furnished(mocked)


@pytest.fixture(scope="module")
def furnished() -> Iterator[Furnished]:
    """A tenancy that the tests only read, with two resources of each kind that they ask for."""
    with mock_oci() as mocked:
        yield Furnished(mocked)


def state(found: Furnished, kind: Kind, identifier: str) -> str:
    return str(found.get(kind, identifier).data.lifecycle_state)


@each_kind
def test_a_resource_passes_through_its_states(timed: Furnished, kind: Kind) -> None:
    creating, active, updating, deleting = kind.states
    kind.fields(timed)
    timed.settle()
    made = timed.create(kind, "one")
    assert state(timed, kind, made) == creating
    timed.mocked.advance(10_000)
    assert state(timed, kind, made) == active
    if updating:
        timed.update(kind, made)
        assert state(timed, kind, made) == updating
        with refused(409, "IncorrectState", updating):
            timed.update(kind, made)
        timed.mocked.advance(10_000)
        assert state(timed, kind, made) == active
    if deleting:
        timed.delete(kind, made)
        assert state(timed, kind, made) == deleting
        timed.mocked.advance(10_000)
        check_gone(timed, kind, made)


def check_gone(found: Furnished, kind: Kind, identifier: str) -> None:
    """Deleted for good: a tombstone, or nothing at all."""
    with contextlib.suppress(oci.exceptions.ServiceError):
        assert state(found, kind, identifier) == kind.gone
        return
    with refused(404, "NotAuthorizedOrNotFound", identifier):
        found.get(kind, identifier)


@each_kind
def test_an_etag_guards_each_change(furnished: Furnished, kind: Kind) -> None:
    made = furnished.create(kind, f"etag-{kind.noun.replace('_', '-')}")
    furnished.settle()
    etag = furnished.get(kind, made).headers["etag"]
    with refused(412, "NoEtagMatch"):
        furnished.update(kind, made, if_match="another")
    furnished.update(kind, made, if_match=etag)
    furnished.settle()
    after = furnished.get(kind, made).headers["etag"]
    assert after != etag
    if hasattr(furnished.api(kind), f"delete_{kind.noun}"):
        with refused(412, "NoEtagMatch"):
            furnished.delete(kind, made, if_match=etag)
        furnished.delete(kind, made, if_match=after)


@each_kind
def test_an_ocid_has_its_form(furnished: Furnished, kind: Kind) -> None:
    if kind.noun == "container_repository":
        pytest.skip("its OCID spells the region out: tested with the registry")
    found = _OCID.fullmatch(furnished[kind.noun])
    assert found is not None, furnished[kind.noun]
    assert bool(found[2]) != kind.root
    words = kind.noun.replace("_", "")
    assert found[1] in (words, f"datascience{words}", f"vault{words}", "loggroup"), found[1]


@each_kind
def test_a_list_knows_its_orders(furnished: Furnished, kind: Kind) -> None:
    """Every value of sort_by that the SDK documents, both ways."""
    furnished[kind.noun]
    for name in ("sort-b", "sort-a"):
        if kind.noun.endswith("_gateway"):
            break
        furnished.create(kind, f"{name}-{kind.noun.replace('_', '-')}")
    furnished.settle()
    for order in allowed(kind).get("sortby", ()):
        rising = [item.id for item in furnished.find_all(kind, sort_by=order, sort_order="ASC")]
        falling = [item.id for item in furnished.find_all(kind, sort_by=order, sort_order="DESC")]
        assert rising == falling[::-1]
        items = {item.id: item for item in furnished.find_all(kind)}
        values = [sortable(items[found], order, kind) for found in rising]
        assert values == sorted(values), order


def sortable(item: Any, order: str, kind: Kind) -> Any:
    plain = order.replace("_", "").lower()
    if plain in ("name", "displayname"):
        return getattr(item, kind.name)
    fields = {name.replace("_", ""): value for name, value in vars(item).items()}
    return fields[plain]


@each_kind
def test_a_list_filters_by_what_the_sdk_documents(furnished: Furnished, kind: Kind) -> None:
    """By each field of its items: what fits is listed, what does not is not."""
    made = furnished[kind.noun]
    item = next(found for found in furnished.find_all(kind) if found.id == made)
    fields = {name.strip("_").replace("_", ""): name.strip("_") for name in vars(item)}
    if kind.name == "secret_name":
        fields["name"] = "secret_name"
    tried = 0
    for parameter in sorted(documented(kind) - _PAGING - {"compartmentid", "loggroupid"}):
        value = getattr(item, fields[parameter], None) if parameter in fields else None
        if not isinstance(value, str):
            continue
        tried += 1
        name = next(n for n in keywords(kind) if n.replace("_", "") == parameter)
        assert made in [found.id for found in furnished.find_all(kind, **{name: value})], name
        for other in others(kind, parameter, value):
            assert made not in listed_ids(furnished, kind, {name: other}), (name, other)
    assert tried or kind.noun in ("vault", "drg")


def listed_ids(furnished: Furnished, kind: Kind, query: dict[str, Any]) -> list[str]:
    """What is listed; nothing where the query names what is not there."""
    with contextlib.suppress(oci.exceptions.ServiceError):
        return [found.id for found in furnished.find_all(kind, **query)]
    with refused(404, "NotAuthorizedOrNotFound"):
        furnished.find_all(kind, **query)
    return []


def others(kind: Kind, parameter: str, value: str) -> list[str]:
    """Other values of a parameter: all that it may have, or any text."""
    return [other for other in allowed(kind).get(parameter, ("other",)) if other != value]


@each_kind
def test_a_page_stays_put_while_resources_come(furnished: Furnished, kind: Kind) -> None:
    """Newest first, something new before the second page moves nothing into it."""
    if kind.noun.endswith("_gateway"):
        pytest.skip("there is one of it in a network")
    furnished[kind.noun]
    furnished.create(kind, f"page-1-{kind.noun.replace('_', '-')}")
    furnished.settle()
    before = [item.id for item in furnished.find_all(kind)]
    first = furnished.listing(kind, limit=1)
    furnished.create(kind, f"page-2-{kind.noun.replace('_', '-')}")
    furnished.settle()
    rest = furnished.find_all(kind, page=first.headers["opc-next-page"])
    assert [item.id for item in furnished.items(first)] + [item.id for item in rest] == before


@each_kind
def test_a_retry_token_creates_once(furnished: Furnished, kind: Kind) -> None:
    if "opcretrytoken" not in parameters(path_of(kind), f"create_{kind.noun}"):
        pytest.skip("the SDK's operation has no retry token")
    if kind.noun.endswith("_gateway") or kind.noun == "subnet":
        pytest.skip("there is one of it in a network, or each has other details")
    name = f"once-{kind.noun.replace('_', '-')}"
    made = furnished.create(kind, name, opc_retry_token=f"token-{kind.noun}")
    assert furnished.create(kind, name, opc_retry_token=f"token-{kind.noun}") == made
    with refused(409, "InvalidatedRetryToken"):
        furnished.create(kind, f"{name}-2", opc_retry_token=f"token-{kind.noun}")


def allowed(kind: Kind) -> dict[str, tuple[str, ...]]:
    return choices(path_of(kind), f"list_{kind.plural}")


def documented(kind: Kind) -> set[str]:
    return set(parameters(path_of(kind), f"list_{kind.plural}"))


def keywords(kind: Kind) -> list[str]:
    """The SDK method's own spelling of its parameters."""
    sdk_class = getattr(kind.service, kind.client)
    doc = getattr(sdk_class, f"list_{kind.plural}").__doc__ or ""
    return re.findall(r":param \S+ (\w+): \(", doc)


def path_of(kind: Kind) -> str:
    return f"{kind.service.__name__}.{kind.client}"
