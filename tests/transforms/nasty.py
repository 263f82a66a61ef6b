"""Five hundred strings that have broken programs before: what any cell of any file may hold.

Belongs here: the list, the same in every run. Does not: what must come of it (test_hostile.py).
The kinds are those of the Big List of Naughty Strings (Max Woolf, MIT); the strings are our own.
"""

from __future__ import annotations

import itertools

_NOTHING = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u00a0",
    "\u200b",
    "\u2800",
    "\ufeff",
    "-",
    "--",
    ".",
    "…",
    "?",
    "''",
    '""',
    "/",
]
_WORDS_FOR_NOTHING = [
    *("null", "NULL", "(null)", "None", "none", "NaN", "nan", "N/A", "#N/A", "n.a.", "undefined", "nil", "Unknown"),
    *(
        "true",
        "False",
        "0",
        "-0",
        "inf",
        "-Infinity",
        "Test",
        "First name",
        "Do not use",
        "#REF!",
        "#DIV/0!",
        "[]",
        "{}",
    ),
]
_NUMBERS = [
    *("1e400", "-1e400", "1E-999", "9" * 309, "0x1F", "1_000", "１２３", "٣٤٥", "१२३", "½", "1,000.00", "1.000,00"),
    *(
        "2147483648",
        "-9223372036854775809",
        "18446744073709551616",
        "3.14159" * 40,
        "+44 (0)20 7946 0018 ext. 12345678",
    ),
    *("+" + "1" * 40, "00000000", "tel:+1-201-555-0123;ext=9", "911", "++44", "x123", "123x" * 50, "1e9999999999"),
]
_DATES = [
    *("0000-00-00", "0000-01-01", "0001-01-01", "-0044-03-15", "9999-12-31", "99999-01-01", "1900-02-29", "2024-02-30"),
    *(
        "31/12/1899",
        "12/31/69",
        "1970-01-01T00:00:00Z",
        "29.02.2023",
        "1752-09-10",
        "２０２４-０１-０１",
        "2024-13-45",
        "yesterday",
    ),
    *("44197", "1.5e9", "2024-01-01T25:61:61+99:99", "W53-2020"),
]
_CONTROLS = [f"Ann{chr(code)}Lee" for code in (*range(1, 32), 127, *range(128, 160), 0xAD, 0x2028, 0x2029, 0xFFF9)]
_INVISIBLE = [
    f"A{mark}nn"
    for mark in "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufe0f\ufeff\u180e\u034f\u115f\u3164\uffa0"
]
_SCRIPTS = [
    *(
        "עדי כהן",
        "محمد بن سلمان",
        "Анна Иванова",
        "Αλέξανδρος",
        "山田 太郎",
        "김철수",
        "阮文勇",
        "สมชาย ใจดี",
        "אАaα",
        "Zoë Ångström",
    ),
    *(
        "İstanbul",
        "ıİiI",
        "ﬁne ﬂow",
        "ℌ𝔢𝔩𝔩𝔬",
        "ＡＢＣ",
        "Dž",
        "ẞ",
        "ŉ",
        "e\u0301\u0301\u0301",
        "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
        "𐍈𐌰",
        "한\u1160",
    ),
    *(
        "👩‍👩‍👧‍👦",
        "🇬🇧🇺🇸",
        "👍🏽👍🏿",
        "❤️",
        "🅰🅱",
        "😀" * 200,
        "\U000e0041\U000e007f",
        "\ufffd\ufffe\uffff",
        "\U0010ffff",
        "\ue000",
    ),
]
_INJECTIONS = [
    *(
        "'; drop table golden.contact; --",
        '" or 1=1 --',
        "1; select pg_sleep(9)",
        "%s%n%x",
        "{0}",
        "{{7*7}}",
        "${jndi:ldap://x}",
    ),
    *(
        "=1+1",
        "=cmd|' /C calc'!A0",
        "@SUM(1)",
        "+1+cmd",
        "-2+3",
        "\t=1",
        "<script>alert(1)</script>",
        "<b>Ann</b>",
        "&lt;b&gt;",
    ),
    *(
        "&amp;" * 300,
        "&#x110000;",
        "&#0;",
        "&#xD800;",
        "<!--",
        "<![CDATA[x]]>",
        "<a href='" + "x" * 400 + "'>",
        "<" * 900,
    ),
    *(
        "../../etc/passwd",
        "C:\\con\\con",
        "\\\\host\\share",
        "a,b;c|d",
        'say "hi"',
        "a\nb\rc",
        "\\",
        "\\n",
        "\\u0000",
        "%00",
        "%2e%2e",
    ),
    *(
        "(" * 500,
        "[" * 500,
        '"' * 501,
        "((((a)b)c",
        '"“«a',
        "a" + "," * 400,
        "a:b:c",
        ":",
        "::",
        "|",
        "\x1f",
        "a\x1fb",
        "~",
        "`id`",
    ),
]
_LONG = [
    "x" * 10_000,
    "ab " * 4_000,
    "É" * 9_999,
    "Mc" * 5_000,
    "-" * 10_000,
    "1" * 10_000,
    "a." * 5_000,
    "van " * 3_000,
    "\u0301" * 3_000,
]
_MAIL = [
    *(
        "a@b",
        "@",
        "a@",
        "@b.com",
        "a@@b.com",
        "a@b@c.com",
        "a..b@c.com",
        ".a@c.com",
        '"a b"@c.com',
        "a@[127.0.0.1]",
        "a@c.com.",
    ),
    *(
        "mailto:ANN@FIRM.COM?subject=x",
        "<ann@firm.com>",
        "Ann <ann@firm.com>, Bob <bob@firm.com>",
        "ann@firm.com;bob@firm.com",
    ),
    *(
        "a" * 65 + "@c.com",
        "a@" + "b" * 300 + ".com",
        "a@" + "b." * 200 + "com",
        "ann+" + "x" * 300 + "@firm.com",
        "ann@münchen.de",
    ),
    *(
        "ann@xn--",
        "ann@xn--80ak6aa92e.com",
        "ann@-firm.com",
        "ann@firm..com",
        "ann@firm.c",
        "info@firm.com",
        "üñî@firm.com",
        "a@b.co\x00m",
    ),
    *(
        "@" * 600,
        "a@" * 600,
        "<" * 600 + "@",
        "ann@firm.com " * 300,
        "email_not_unlocked@domain.com",
        "ann@１２７.com",
        "ann@。com",
    ),
]
_WEB = [
    *(
        "http://",
        "https://https://a.com",
        "http://a.com:99999/",
        "http://[::1]/",
        "http://user:pw@a.com/",
        "javascript:alert(1)",
        "www.",
        "www",
    ),
    *(
        "//a.com",
        "a.com/" + "x" * 3000,
        "http://" + "a." * 300 + "com",
        "http://co.uk",
        "http://.com",
        "ftp://a.com",
        "file:///etc",
        "a b.com",
    ),
    *(
        "http://xn--a.com",
        "http://ex\u2024ample.com",
        "http://例え.テスト",
        "linkedin.com/in/",
        "linkedin.com/in/%F0%9F",
        "linkedin.com/in/" + "%41" * 900,
    ),
    *(
        "https://www.linkedin.com/pub/a/1/2/3",
        "linkedin.com/in/../..",
        "linkedin.com/company/a?b=" + "c" * 999,
        "in/a",
        "/in//",
        "http://a.com#" + "#" * 300,
    ),
]
_NAMES = [
    *("O'Brien-Smith", "d'Arc", "Lee, Ann", ",", ",,,", "Lee,", ", Ann", "Dr. Dr. Prof. Sir", "Jr.", "III", "van der", "Mr", "Ann (Annie) Lee", "A"),
    *("Ltd", "The", "& Co", "GmbH & Co KG", "Inc Inc Inc Inc", "The The", "A B C D E F", "Ltd " * 400, "1-1", "51-200", "10001+", "<10", "1k-5k", "-5"),
]  # fmt: skip

_SEEDS = list(
    dict.fromkeys(
        itertools.chain(
            *(_NOTHING, _WORDS_FOR_NOTHING, _NUMBERS, _DATES, _CONTROLS, _INVISIBLE),
            *(_SCRIPTS, _INJECTIONS, _LONG, _MAIL, _WEB, _NAMES),
        )
    )
)
COUNT = 500


def _mixed() -> list[str]:
    """Two of them side by side, until there are enough."""
    found = dict.fromkeys(_SEEDS)
    for step in itertools.count(7, 11):
        for place in range(0, len(_SEEDS), 5):
            if len(found) >= COUNT:
                return list(found)[:COUNT]
            found.setdefault(_SEEDS[place] + " " + _SEEDS[(place + step) % len(_SEEDS)])
    raise AssertionError


NASTY = _mixed()
