"""Publishing rules as data: what a file may say, and one line of help where it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.publishing import mapping
from assets.publishing.rules import DEMO, SHIPPED, RulesError, load_rules, shipped_rules

pytestmark = pytest.mark.one_store


def rules_of(folder: Path, text: str):
    path = folder / "mine.toml"
    path.write_text(text)
    return load_rules(path)


def test_every_published_field_has_an_owner_as_shipped():
    owners = {resource: shipped_rules().owners_of(resource) for resource in mapping.FIELDS}

    assert {resource: tuple(named) for resource, named in owners.items()} == dict(mapping.FIELDS)
    assert {owner for named in owners.values() for owner in named.values()} == {"pipeline"}


def test_a_file_of_ones_own_changes_what_it_says_and_nothing_else(tmp_path):
    mine = rules_of(tmp_path, '[owners.Users]\njob_title = "human"\n[audience]\nopt_in = ["acme.test"]\n')

    shipped = shipped_rules()
    assert mine.owners_of("Users") == {**shipped.owners_of("Users"), "job_title": "human"}
    assert mine.audience == shipped.audience.model_copy(update={"opt_in": frozenset({"acme.test"})})
    assert mine.guard == shipped.guard


def test_the_real_account_is_careful_and_the_demo_is_not():
    demo = load_rules(DEMO)

    assert (shipped_rules().plan_first, shipped_rules().audience.in_halo_only, shipped_rules().guard.is_on) == (
        True,
        True,
        True,
    )
    assert (demo.plan_first, demo.audience.in_halo_only, demo.guard.is_on) == (False, False, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[owners.Users]\njob_title = "pipline"\n', "owners.Users.job_title is 'pipline'; did you mean 'pipeline'?"),
        ('[owners.Users]\njob_tittle = "human"\n', "owners.Users: 'job_tittle' is no field that is published; did you "
         "mean 'job_title'?"),
        ("[gard]\nfree = 1\n", "gard is no key of this file; did you mean 'guard'?"),
        ("[guard.creates]\ncuont = 1\n", "guard.creates.cuont is no key of this file; did you mean 'count'?"),
        ("[guard.creates]\nshare = 3\n", "guard.creates.share is 3: Input should be less than or equal to 1."),
        ('[audience.segments.contact]\nuk = [{ field = "contry", any_of = ["GB"] }]\n',
         "audience.segments.contact.uk: golden.contact has no column 'contry'; did you mean 'country'?"),
        ('[audience.segments.contact]\nuk = [{ field = "country" }]\n', "demands nothing"),
        ('[audience]\nsuppressed = ["*"]\n', "would leave nobody"),
        ("[audience\n", "is no TOML in UTF-8"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_a_hint(tmp_path, text, said):
    with pytest.raises(RulesError) as caught:
        rules_of(tmp_path, text)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_new_organisation_may_be_created_as_a_prospect(tmp_path):
    mine = rules_of(tmp_path, 'new_organisations = "prospect"\n[create_defaults.Client]\ncustomertype = 2\n')

    assert mine.defaults_of("Client") == {"is_account": True, "customertype": 2}
    assert shipped_rules().defaults_of("Client") == {}


def test_an_entity_that_the_feed_delivers_is_not_published(tmp_path):
    mine = rules_of(tmp_path, '[delivery]\ncontact = "feed"\n')

    assert (mine.mode_of("contact"), mine.mode_of("organisation")) == ("off", "tracked")


def test_the_shipped_file_is_whole():
    """Else a key would have a default in code that nobody reads about."""
    assert load_rules(SHIPPED) == shipped_rules()
