"""People by a generator that nobody here wrote: pseudopeople's shipped sample, with its own noise, as a labelled set.

Belongs here: three of its files as one table in the columns of `resolve`, its simulant_id as label.
Does not: any noise of ours. Run by an interpreter that has pseudopeople, with the path of a job file.
Surprise: families share a house and a surname, tax forms lack a date of birth, and dates are written in two ways; they
are brought into one, as anybody would before linking, and what does not fit either way stays as the noise left it.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pseudopeople

YEAR = 2020


def main(job: dict[str, Any]) -> dict[str, Any]:
    options = {"seed": job["seed"], "year": YEAR, "verbose": False}
    census = pseudopeople.generate_decennial_census(**options)
    security = pseudopeople.generate_social_security(**options)
    tax = pseudopeople.generate_taxes_w2_and_1099(**options)
    frames = [
        _frame("census", census, middle="middle_initial", born=_dashed(census["date_of_birth"], "slashes")),
        _frame("security", security, middle="middle_name", born=_dashed(security["date_of_birth"], "digits")),
        _frame("tax", tax, middle="middle_initial", address="mailing_address_", employer=tax["employer_name"]),
    ]
    together = pd.concat(frames, ignore_index=True).sample(frac=1, random_state=job["seed"]).reset_index(drop=True)
    together.insert(0, "record_id", [f"p{row}" for row in range(len(together))])
    together[["record_id", "entity_id"]].to_parquet(job["labels"], index=False)
    together.drop(columns="entity_id").to_parquet(job["records"], index=False)
    return {"version": version("pseudopeople"), "records": len(together)}


def _frame(
    source: str, frame: pd.DataFrame, *, middle: str, address: str = "", born: Any = None, employer: Any = None
) -> pd.DataFrame:
    columns = {
        "source": source,
        "first_name": frame["first_name"],
        "middle_name": frame[middle],
        "last_name": frame["last_name"],
        "date_of_birth": born,
        "external_id": frame.get("ssn"),
        "organisation_name": employer,
        "street": _street(frame, address),
        "city": frame.get(f"{address}city"),
        "state": frame.get(f"{address}state"),
        "postcode": frame.get(f"{address}zipcode"),
        "entity_id": frame["simulant_id"],
    }
    table = pd.DataFrame(columns, index=frame.index)
    return table.astype(object).where(table.notna(), None)


def _street(frame: pd.DataFrame, address: str) -> Any:
    parts = [f"{address}street_number", f"{address}street_name", f"{address}unit_number"]
    if parts[1] not in frame:
        return None
    joined = (
        frame[parts].astype(object).apply(lambda row: " ".join(str(part) for part in row if pd.notna(part)), axis=1)
    )
    return joined.where(joined != "", None)


def _dashed(dates: pd.Series, form: str) -> pd.Series:
    """`05/06/1994` (month first) or `19940506` as `1994-05-06`; anything else as it is."""
    text = dates.astype(object).where(dates.notna(), None).astype("string")
    if form == "slashes":
        return text.str.replace(r"^(\d\d)/(\d\d)/(\d{4})$", r"\3-\1-\2", regex=True)
    return text.str.replace(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", regex=True)


if __name__ == "__main__":
    job_path = Path(sys.argv[1])
    job_spec = json.loads(job_path.read_text())
    Path(job_spec["answer"]).write_text(json.dumps(main(job_spec)))
