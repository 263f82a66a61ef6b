"""How a vendor says a person can be reached: e-mail, phone, mobile, LinkedIn.

Belongs here: what is known, old, guessed, shared or another's. Does not: the true values (people.py).
Surprise: a guess mostly follows the company's own pattern, so it is mostly right; only pairs with one initial and
surname get one mailbox for two.
"""

from __future__ import annotations

import numpy as np

from sources.world import places, spelling
from sources.world.dice import Bools, Ints, Objects, given, objects
from sources.world.mailboxes import FREE_MAIL, local_part
from sources.world.organisations import PHONE_STYLES
from sources.world.pen import Pen

_STATUS_SHARES = {
    "apollo": (("verified", "risky", "unknown"), (0.80, 0.06, 0.14)),
    "zoominfo": (("verified", "risky", "unknown"), (0.88, 0.04, 0.08)),
    "uplead": (("verified", "risky", "unknown", "invalid"), (0.72, 0.18, 0.06, 0.04)),
}


def write_emails(
    pen: Pen, company: Ints, stale: Bools, maiden: Bools, first: Objects, last: Objects
) -> tuple[Objects, Objects]:
    people, rates = pen.people, pen.profile.records
    email = people.email[pen.rows]
    for row in np.flatnonzero(stale).tolist():
        email[row] = people.old_job[int(pen.rows[row])][1]
    for row in np.flatnonzero(maiden & ~stale).tolist():
        email[row] = people.maiden[int(pen.rows[row])][1]
    values, shares = _STATUS_SHARES[pen.source]
    status = objects(values)[
        np.searchsorted(np.cumsum(shares) * 1.0000001, pen.stream("status").random(pen.count), side="right")
    ]
    _guess(pen, email, status, company)
    personal = pen.chance("personal email", rates["personal_email"])
    _personal(pen, email, status, personal)
    mixed = np.flatnonzero(pen.chance("wrong email", rates["wrong_email"]))
    email[mixed] = people.email[np.maximum(pen.rows[mixed] - 1, 0)]
    pen.tag("wrong_email", pen.rows[mixed].tolist())
    role = pen.chance("role", rates["role_mailbox"])
    domains = company
    for row in np.flatnonzero(role).tolist():
        email[row], status[row] = (
            f"{('info', 'sales', 'office', 'contact')[row % 4]}@{pen.companies[domains[row]].domain}",
            "risky",
        )
    pen.tag("role_mailbox", pen.rows[role].tolist())
    pen.alter(
        email,
        "email case",
        pen.chance("email case", rates["email_upper_case"]),
        lambda address, _: address.upper(),
    )
    absent = ~pen.chance("email", pen.vendor.email)
    email[absent], status[absent] = None, None
    return email, status


def _guess(pen: Pen, email: Objects, status: Objects, company: Ints) -> None:
    """Mailboxes made from a pattern: the usual one mostly, so often right, else initial and surname."""
    people = pen.people
    guessed = pen.chance("guessed", pen.vendor.email_guessed)
    styles = pen.stream("guess style").random(pen.count)
    for row in np.flatnonzero(guessed).tolist():
        person, employer = int(pen.rows[row]), pen.companies[company[row]]
        pattern = employer.pattern if styles[row] < 0.7 else 1 if styles[row] < 0.85 else 0
        local = local_part(pattern, people.first[person], people.last[person], people.code[person])
        email[row], status[row] = f"{local}@{employer.domain}", "guessed"
    both = pen.chance("mailbox guessed twice", pen.profile.records["mailbox_guessed_twice"])
    both &= np.isin(pen.rows, np.fromiter(people.guess, np.int64, len(people.guess)))
    for row in np.flatnonzero(both).tolist():
        email[row], status[row] = people.guess[int(pen.rows[row])], "guessed"


def _personal(pen: Pen, email: Objects, status: Objects, hit: Bools) -> None:
    people = pen.people
    for row in np.flatnonzero(hit).tolist():
        person = int(pen.rows[row])
        local = local_part(0 if person % 2 else 7, people.first[person], people.last[person], people.code[person])
        email[row] = f"{local}{person % 97 + 1}@{FREE_MAIL[person % 5]}"
        status[row] = "verified"
    pen.tag("free_mail", pen.rows[hit].tolist())


def write_phones(pen: Pen, company: Ints, stale: Bools) -> tuple[Objects, Objects]:
    people, rates = pen.people, pen.profile.records
    switchboards = objects([each.phone for each in pen.companies])[company]
    codes = objects([each.code for each in pen.companies])[company]
    phone = people.direct[pen.rows]
    use_board = stale | ~given(phone) | pen.chance("board", 0.35)
    phone = np.where(use_board, switchboards, phone)
    codes = np.where(use_board, codes, people.code[pen.rows])
    extension = objects([None] * pen.count)
    extended = np.flatnonzero(use_board & pen.chance("extension", rates["switchboard_with_extension"]) & given(phone))
    extension[extended] = (pen.rows[extended] % 899 + 100).astype(str).astype(object)
    wrong = np.flatnonzero(pen.chance("wrong phone", rates["wrong_phone"]))
    other = np.maximum(pen.rows[wrong] - 1, 0)  # the next desk: mostly a colleague
    phone[wrong] = np.where(given(people.direct[other]), people.direct[other], people.mobile[other])
    codes[wrong], extension[wrong] = people.code[other], None
    pen.tag("wrong_phone", pen.rows[wrong[given(phone[wrong])]].tolist())
    phone = _spelt(pen, phone, codes, "phone style")
    fake = pen.chance("placeholder phone", rates["placeholder_phone"])
    pen.alter(
        phone,
        "placeholder phone",
        fake,
        lambda _, bits: ("000-000-0000", "N/A", "1234567890")[bits % 3],
        "placeholder_phone",
    )
    absent = ~pen.chance("phone", pen.vendor.phone)
    phone[absent] = None
    extension[~given(phone)] = None
    return phone, extension


def write_mobiles(pen: Pen) -> Objects:
    mobile = _spelt(pen, pen.people.mobile[pen.rows], pen.people.code[pen.rows], "mobile style")
    # A rate of all records, while only a share of people has a mobile at all.
    known = pen.chance("mobile", min(1.0, pen.vendor.mobile / pen.profile.people["mobile"]))
    mobile[~known] = None
    return mobile


def _spelt(pen: Pen, numbers: Objects, codes: Objects, purpose: str) -> Objects:
    styles = np.array(PHONE_STYLES[pen.source])[pen.stream(purpose).integers(0, 6, pen.count)].tolist()
    spell = places.spell_phone
    return objects(
        [
            number and spell(number, code, style)
            for number, code, style in zip(numbers.tolist(), codes.tolist(), styles, strict=True)
        ]
    )


def write_linkedin(pen: Pen) -> Objects:
    styles = pen.stream("linkedin style").integers(0, 6, pen.count)
    usual = {"apollo": 0, "zoominfo": 1, "uplead": 1}[pen.source]
    styles = np.where(pen.chance("linkedin usual", 0.7), usual, styles).tolist()
    slugs = pen.people.slug[pen.rows]
    wrong = np.flatnonzero(pen.chance("wrong linkedin", pen.profile.records["wrong_linkedin"]))
    slugs[wrong] = pen.people.slug[np.maximum(pen.rows[wrong] - 1, 0)]
    pen.tag("wrong_linkedin", pen.rows[wrong].tolist())
    out = objects([spelling.linkedin(slug, style) for slug, style in zip(slugs.tolist(), styles, strict=True)])
    out[~pen.chance("linkedin", pen.vendor.linkedin)] = None
    return out
