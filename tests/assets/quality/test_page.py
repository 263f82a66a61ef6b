"""The page: the same bytes for the same night, nothing from outside, nothing personal, usable without eyes or mouse."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import duckdb
import pytest

from assets.quality import night
from assets.quality.catalogue import SECTIONS
from assets.quality.document import document
from assets.quality.page import page
from tests.assets.quality.conftest import NIGHT, night_after
from transforms.engines.duckdb import DuckDBEngine

BYTES_MAX = 2_000_000


class Tags(HTMLParser):
    """All tags of a page with their attributes, and which were left open."""

    VOID = frozenset({"meta", "link", "br", "use", "path", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def second_night(reported, tmp_path_factory):
    """An engine after a second night, so that the trends have a picture; to be read only."""
    path = tmp_path_factory.mktemp("page") / "warehouse.duckdb"
    shutil.copyfile(reported, path)
    with duckdb.connect(str(path)) as connection:
        engine = DuckDBEngine(connection)
        night.build(engine, night_after(1))
        yield engine


@pytest.fixture(scope="module")
def told(second_night):
    return document(second_night)


def test_the_same_night_gives_the_same_bytes(opened):
    """Two warehouses, each with its own rows in its own order on disk."""
    one, two = opened(), opened()
    for name in ("golden.contact", "standardised.contact", "golden.provenance"):
        two.connection.execute(f"create or replace table {name} as select * from {name} order by 1 desc")

    night.build(two, NIGHT)

    first, second = document(one), document(two)
    assert page(first) == page(second)
    assert json.dumps(first.as_json()) == json.dumps(second.as_json())


def test_the_page_stands_alone(told):
    text = page(told)
    tags = Tags(text)

    assert len(text.encode()) < BYTES_MAX
    assert tags.open == []
    outside = [
        value
        for _, attributes in tags.found
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "data") and not (value or "").startswith("#")
    ]
    assert outside == []
    assert not re.search(r"@import|url\((?!#)|<script|<iframe", text)


def test_a_reader_that_cannot_see_finds_its_way(told):
    text = page(told)
    tags = Tags(text)

    assert [attributes["lang"] for attributes in tags.all("html")] == ["en"]
    headings = [name for name, _ in tags.found if re.fullmatch(r"h[1-6]", name)]
    assert headings.count("h1") == 1
    assert headings.count("h2") == len(SECTIONS) - 1
    assert len(tags.all("caption")) == len(tags.all("table")) > 20
    assert len(tags.all("main")) == len(tags.all("nav")) == 1
    ids = [attributes["id"] for _, attributes in tags.found if attributes.get("id")]
    assert len(ids) == len(set(ids)), "two elements with one id: a link would lead to the wrong one"
    targets = {attributes["href"] for attributes in tags.all("a")}
    assert targets >= {f"#R{number}" for number in range(1, len(SECTIONS))}
    assert {target[1:] for target in targets if target} <= set(ids)


def test_each_picture_has_its_text_and_wears_the_colours_of_the_page(told):
    tags = Tags(page(told))

    pictures = [attributes for _, attributes in tags.found if attributes.get("role") == "img"]
    assert len(pictures) == len(tags.all("svg")) >= 4
    assert all(len(attributes["aria-label"] or "") > 60 for attributes in pictures)
    for section in told.sections:
        for picture in section.pictures:
            assert re.findall(r"#0\d0\d0\d|#000000|#ffffff", picture.svg) == []


def test_no_value_of_any_record_is_on_the_page(second_night, told):
    """Ids and counts only; what a vendor or a person typed appears nowhere, neither here nor in the JSON."""
    columns = {
        "contact": (
            "email",
            "phone",
            "mobile",
            "linkedin_url",
            "street",
            "first_name || ' ' || last_name",
            "job_title",
        ),
        "organisation": ("phone", "email", "linkedin_url", "street", "domain", "website", "name"),
    }
    canaries = {
        value
        for entity, names in columns.items()
        for name in names
        for table in ("standardised", "golden")
        for (value,) in second_night.connection.execute(
            f"select distinct {name} from {table}.{entity} where length({name}) > 5"
        ).fetchall()
    }
    text = page(told) + json.dumps(told.as_json(), ensure_ascii=False)
    words = set(re.findall(r"[^\s\"'<>;,()]+", text))

    assert len(canaries) > 400
    assert [value for value in canaries if value in (words if " " not in value else text)] == []


def test_what_a_vendor_calls_a_field_breaks_no_page(engine):
    engine.connection.execute(
        "insert into raw_apollo.quarantine (id, entity, field, reason, _dlt_load_id, _dlt_id) "
        "values ('1', 'contact', '<script>alert(1)</script>', 'a \"quoted\" & <b>bold</b> reason', '', '')"
    )

    for name in ("quality.number", "quality.judged"):
        night.make(engine, name)
    text = page(document(engine))

    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert Tags(text).open == []
