"""Auth tokens and customer secret keys of users."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import client, refused

m = oci.identity.models
each = pytest.mark.parametrize(
    ("noun", "title", "label", "secret"),
    [
        ("auth_token", "AuthToken", "description", "token"),
        ("customer_secret_key", "CustomerSecretKey", "display_name", "key"),
    ],
)


@pytest.fixture
def api(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.identity.IdentityClient, region=mocked.settings.home_region)


@each
def test_a_credential_is_shown_once(
    mocked: MockedTenancy, api: Any, noun: str, title: str, label: str, secret: str
) -> None:
    def make(name: str) -> Any:
        details = getattr(m, f"Create{title}Details")(**{label: name})
        return getattr(api, f"create_{noun}")(details, mocked.user_id).data

    first, second = make("first"), make("second")
    assert getattr(first, secret) not in (None, getattr(second, secret))
    listed = getattr(api, f"list_{noun}s")(mocked.user_id).data
    assert [getattr(item, label) for item in listed] == ["second", "first"]
    assert not any(getattr(item, secret, None) for item in listed)
    with refused(400, "LimitExceeded", mocked.user_id):
        make("third")

    update = getattr(m, f"Update{title}Details")(**{label: "renamed"})
    changed = getattr(api, f"update_{noun}")(mocked.user_id, first.id, update)
    assert getattr(changed.data, label) == "renamed"
    with refused(412, "NoEtagMatch"):
        getattr(api, f"delete_{noun}")(mocked.user_id, first.id, if_match="another")
    getattr(api, f"delete_{noun}")(mocked.user_id, first.id, if_match=changed.headers["etag"])
    make("third")
    with refused(404, "NotAuthorizedOrNotFound", first.id):
        getattr(api, f"delete_{noun}")(mocked.user_id, first.id)


@each
def test_a_credential_is_its_users(
    mocked: MockedTenancy, api: Any, noun: str, title: str, label: str, secret: str
) -> None:
    details = m.CreateUserDetails(compartment_id=mocked.tenancy_id, name="u", description="d")
    other = api.create_user(details).data.id
    made = getattr(m, f"Create{title}Details")(**{label: "mine"})
    mine = getattr(api, f"create_{noun}")(made, mocked.user_id).data
    with refused(404, "NotAuthorizedOrNotFound", mine.id):
        getattr(api, f"delete_{noun}")(other, mine.id)
    assert getattr(api, f"list_{noun}s")(other).data == []
