"""`halosync up` as a person meets it: service and UI come up together, and end together with all they began."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
import requests

from tests.orchestration.test_ui import END_S, READY_S, command, environment, free_port, processes_on

pytestmark = pytest.mark.timeout(600)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5, proxies={"http": ""}).ok
    except requests.RequestException:
        return False


def test_service_and_ui_come_up_and_end_together(tmp_path):
    port, ui_port = free_port(), free_port()
    given = ("up", "--port", str(port), "--ui-port", str(ui_port))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command(*given), env=environment(tmp_path), stderr=log, stdout=log)
        try:
            deadline_s = time.monotonic() + READY_S
            urls = [f"http://127.0.0.1:{port}/healthz", f"http://127.0.0.1:{ui_port}/server_info"]
            while not all(map(answers, urls)):
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline_s
                time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=END_S)
        finally:
            process.kill()

    assert code == 0
    assert processes_on(tmp_path) == []
