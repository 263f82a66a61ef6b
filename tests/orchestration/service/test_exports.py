"""Promises of the exported descriptions: each is valid in its own form and names every route and error of the first."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from orchestration.cli import main
from orchestration.exits import Exit
from orchestration.service.app import description
from orchestration.service.exports import exported

VALIDATORS = {"3.1": OpenAPIV31SpecValidator, "3.0": OpenAPIV30SpecValidator, "2.0": OpenAPIV2SpecValidator}
URL = "https://feed.example.com/halosync"


def operations(told: dict) -> dict[tuple[str, str], set[str]]:
    return {
        (path, method): set(one["responses"]) for path, all_ in told["paths"].items() for method, one in all_.items()
    }


@pytest.mark.parametrize("form", VALIDATORS)
def test_each_form_is_valid_and_says_as_much_as_the_first(form):
    told = exported(description(), form, url=URL)

    VALIDATORS[form](told).validate()

    assert operations(told) == operations(description())
    assert len(operations(told)) >= 12
    assert not any(422 in map(int, codes) for codes in operations(told).values())


def test_older_forms_keep_what_they_can_say():
    schemas = {
        "3.0": exported(description(), "3.0", url=URL)["components"]["schemas"],
        "2.0": exported(description(), "2.0", url=URL)["definitions"],
    }
    two = exported(description(), "2.0", url=URL)

    assert schemas["3.0"]["ContactQuestion"]["properties"]["email"] == {
        "type": "string", "maxLength": 500, "nullable": True, "title": "Email", "example": "ann@example.com",
    }  # fmt: skip
    assert schemas["2.0"]["ContactQuestion"]["properties"]["email"]["x-nullable"] is True
    assert schemas["2.0"]["FeedAnswer"]["properties"]["records"]["items"] == {"$ref": "#/definitions/FeedRecord"}
    assert (two["host"], two["basePath"], two["schemes"]) == ("feed.example.com", "/halosync", ["https"])
    assert {one["name"]: one.get("type") for one in two["paths"]["/sync/{kind}"]["get"]["parameters"]} == {
        "kind": "string", "last_sync": "string", "cursor": "string", "limit": "integer",
    }  # fmt: skip


def test_the_collection_has_each_route_once_and_asks_for_a_key_where_one_is_needed():
    told = exported(description(), "postman", url=URL)
    requests = [one["request"] for folder in told["item"] for one in folder["item"]]

    paths = {(one["method"].lower(), one["url"]["raw"].removeprefix("{{url}}")) for one in requests}
    expected = {
        (method, "/" + "/".join(f":{part[1:-1]}" if part.startswith("{") else part for part in path[1:].split("/")))
        for path, method in operations(description())
    }
    assert (paths, len(requests)) == (expected, len(expected))
    open_ones = {one["url"]["raw"] for one in requests if one.get("auth") == {"type": "noauth"}}
    assert open_ones == {
        "{{url}}/healthz",
        "{{url}}/readyz",
        "{{url}}/webhook/:source",
        "{{url}}/webhook/:source/:token",
    }
    assert told["auth"]["type"] == "bearer"


def test_the_verb_writes_a_file_or_stdout_and_refuses_another_form(tmp_path, capsys):
    target = tmp_path / "openapi.json"

    codes = [main(["serve", "--export-openapi", form, str(target)]) for form in ("2.0", "1.2")]
    printed = main(["serve", "--export-openapi", "3.0", "-"])
    unwritable = main(["serve", "--export-openapi", "3.0", str(tmp_path / "no" / "x.json")])

    assert (codes, printed, unwritable) == ([Exit.DONE, Exit.USAGE], Exit.DONE, Exit.USAGE)
    assert json.loads(target.read_text())["swagger"] == "2.0"
    assert json.loads(capsys.readouterr().out)["openapi"] == "3.0.3"
