"""Values of a record so that a person recognises his own and nobody learns them: first letters, last digits.

Belongs here: masking. Does not: which values are shown (`probe.py`). Surprise: the length of a value is not kept, since
a length and a first letter name a colleague to whoever knows the firm.
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "…"
_SHOWN_DIGITS = 2


def masked_name(value: Any) -> str:
    """`Orla Kennedy` -> `O… K…`."""
    return " ".join(word[0] + HIDDEN for word in _words(value))


def masked_email(value: Any) -> str:
    """`orla.kennedy@brackwell.co.uk` -> `o…@b….uk`; text that is no address is masked as a name."""
    local, at, domain = str(value or "").strip().partition("@")
    if not local or not at or not domain:
        return masked_name(value)
    return f"{local[0]}{HIDDEN}@{domain[0]}{HIDDEN}.{domain.rsplit('.', 1)[-1]}"


def masked_phone(value: Any) -> str:
    """`+44 20 7946 0011` -> `…11`."""
    digits = re.sub(r"\D", "", str(value or ""))
    return HIDDEN + digits[-_SHOWN_DIGITS:] if len(digits) > 2 * _SHOWN_DIGITS else HIDDEN if digits else ""


def _words(value: Any) -> list[str]:
    return [word for word in str(value or "").split() if word]
