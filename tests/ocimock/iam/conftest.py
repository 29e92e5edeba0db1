"""What tests of policies share."""

from __future__ import annotations

import pytest

from tests.ocimock.iam.tenancy import Tenancy


@pytest.fixture
def tenancy() -> Tenancy:
    return Tenancy()
