"""Wrong or missing settings give one line with the remedy; the template names every setting and no other."""

from __future__ import annotations

import re

import pytest

from orchestration import settings as settings_module
from orchestration.cli import main
from orchestration.exits import Exit
from orchestration.resources import build_runtime
from orchestration.settings import PROJECT_ROOT, Settings, SettingsError
from transforms.survivorship.rules import SHIPPED


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("SOURCES__") or name in ("HALOSYNC_DATA", "SURVIVORSHIP_FILE", "PUBLISHING_FILE"):
            monkeypatch.delenv(name)


def load() -> Settings:
    return settings_module.load(env_file=None)


def test_a_vendor_without_a_key_is_not_configured_and_the_key_is_named(monkeypatch):
    monkeypatch.setenv("SOURCES__APOLLO__API_KEY", "k")

    settings = load()

    assert settings.configured() == ["apollo"]
    with pytest.raises(SettingsError, match="SOURCES__ZOOMINFO__CLIENT_ID is missing; publishing needs it"):
        settings.require("zoominfo", why="publishing needs it.")


def test_a_wrong_value_is_named_without_showing_it(monkeypatch):
    monkeypatch.setenv("SOURCES__HALOPSA__CALLS_PER_WINDOW", "many")

    with pytest.raises(SettingsError) as caught:
        load()

    assert "SOURCES__HALOPSA__CALLS_PER_WINDOW" in str(caught.value)
    assert "many" not in str(caught.value)


def test_a_secret_is_in_no_text_of_the_settings(monkeypatch):
    monkeypatch.setenv("SOURCES__APOLLO__API_KEY", "canary-secret")

    assert "canary-secret" not in repr(load())


def test_an_unwritable_data_folder_is_one_line(monkeypatch, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("HALOSYNC_DATA", str(blocker / "data"))

    with pytest.raises(SettingsError, match="Set HALOSYNC_DATA"):
        load().prepare()


def test_the_environment_made_for_child_processes_gives_the_same_settings(monkeypatch):
    monkeypatch.setenv("SOURCES__UPLEAD__API_KEY", "k")
    monkeypatch.setenv("SOURCES__UPLEAD__DOMAINS", '["a.com", "b.com"]')
    first = load()

    for name, value in first.as_environment().items():
        monkeypatch.setenv(name, value)

    assert load().sources == first.sources


def test_the_template_names_settings_that_exist(monkeypatch):
    names = re.findall(r"^#([A-Z_]+)=(.*)$", (PROJECT_ROOT / ".env.template").read_text(), re.MULTILINE)
    for name, value in names:
        monkeypatch.setenv(name, value or "7")

    settings = load()

    assert settings.missing("halopsa") == []
    assert settings.configured() == ["apollo", "zoominfo", "uplead"]


def test_rules_of_ones_own_replace_the_shipped_ones(monkeypatch, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(SHIPPED.read_text().replace('sources = ["zoominfo", "apollo", "uplead"]', 'sources = ["uplead"]'))
    monkeypatch.setenv("SURVIVORSHIP_FILE", str(mine))

    rules = build_runtime(load()).rules

    assert rules is not None
    assert rules.sources == ("uplead",)


def test_wrong_rules_stop_the_check_with_one_line(monkeypatch, tmp_path, capsys):
    mine = tmp_path / "mine.toml"
    mine.write_text(SHIPPED.read_text().replace('"verified"', '"verifed"'))
    monkeypatch.setenv("SURVIVORSHIP_FILE", str(mine))

    code = main(["check"])

    assert code == Exit.USAGE
    assert capsys.readouterr().err == (
        f"Setting SURVIVORSHIP_FILE: {mine}: contact group 6 (email, email_status): unknown rule 'verifed'; did you mean "
        "'verified'? Mend the file, or unset the setting to use the shipped rules.\n"
    )


def test_publishing_rules_of_ones_own_reach_the_publisher_and_child_processes(monkeypatch, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[mode]\ncontact = "off"\n')
    monkeypatch.setenv("PUBLISHING_FILE", str(mine))

    settings = load()

    assert build_runtime(settings).publishing.mode_of("contact") == "off"
    assert settings.as_environment()["PUBLISHING_FILE"] == str(mine)


def test_wrong_publishing_rules_stop_the_check_with_one_line(monkeypatch, tmp_path, capsys):
    mine = tmp_path / "mine.toml"
    mine.write_text('[mode]\ncontact = "of"\n')
    monkeypatch.setenv("PUBLISHING_FILE", str(mine))

    code = main(["check"])

    assert code == Exit.USAGE
    assert capsys.readouterr().err == (
        f"Setting PUBLISHING_FILE: {mine}: mode.contact is 'of'; did you mean 'off'? Mend the file, or unset the setting "
        "to use the shipped rules.\n"
    )
