"""The service against its own OpenAPI description, by schemathesis: no undocumented answer, no 5xx of ours.

S10: each route gets a few derandomised questions here.
"""

from __future__ import annotations

import schemathesis
from hypothesis import given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from orchestration.service.access import Doorkeeper
from tests.assets.publishing.publishing_house import contact, organisation


def test_every_answer_is_as_described(desk):
    desk.house.commit(organisation("org_acme", "Acme"), contact("con_ann", "Ann", "Lee", "org_acme"))
    desk.ran()
    desk.app.state.doorkeeper = Doorkeeper(calls_per_minute=1_000_000, wrong_per_minute=1_000_000)
    headers = desk.key("admin", name="schemathesis")
    schema = schemathesis.openapi.from_asgi("/openapi.json", desk.app)
    operations = [found.ok() for found in schema.get_all_operations()]

    for operation in operations:

        @settings(max_examples=20)
        @given(case=operation.as_strategy())
        def ask(case):
            # A cursor is opaque and a date may lie ahead: no schema tells which of them are good.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

        ask()

    assert len(operations) >= 6
