"""Promises to those who run the service: up, ready and stale are told apart, figures are true."""

from __future__ import annotations

from tests.assets.publishing.publishing_house import contact


def test_it_is_up_before_anything_ran_but_not_ready(desk):
    assert desk.anonymous().get("/healthz").json() == {"status": "up"}
    assert desk.anonymous().get("/readyz").json()["error_code"] == "stale"


def test_it_is_ready_once_a_run_ended_well_and_stale_a_day_later(desk):
    desk.house.commit(contact("con_ann", "Ann", "Lee", None))
    desk.ran("failed")
    assert desk.anonymous().get("/readyz").status_code == 503

    desk.ran("partial")
    assert desk.anonymous().get("/readyz").json() == {"status": "ready", "snapshot": "1"}

    desk.house.clock.sleep(25 * 3600)
    answer = desk.anonymous().get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")


def test_a_ledger_that_is_gone_is_503_and_no_defect(desk):
    with desk.house.ledger.transaction() as connection:
        connection.exec_driver_sql("drop table commit_log")

    answer = desk.anonymous().get("/readyz")

    assert (answer.status_code, answer.json()["error_code"]) == (503, "unavailable")
    assert "commit_log" not in answer.text


def test_metrics_count_requests_by_route_and_tell_the_outbox(desk):
    desk.house.commit(contact("con_ann", "Ann", "Lee", None))
    desk.client.get("/sync/contacts")

    text = desk.client.get("/metrics", headers=desk.key("metrics:read")).text

    assert 'halosync_requests_total{method="GET",route="/sync/{kind}",status="200"} 1.0' in text
    assert 'halosync_outbox_records{state="pending"} 1.0' in text
    assert "halosync_feed_snapshot 1.0" in text
