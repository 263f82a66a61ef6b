"""The load of `bench feed`: DuckDB on one thread, joining and sorting people into a file for as long as it lives."""

import sys

import duckdb

_PEOPLE = """
create or replace table person as
select range as id, 'Person ' || (range * 7919 % 400009) as name, range % 40009 as company from range(400000)
"""
_GOLDEN = """
create or replace table golden as
select person.name, count(*) as records, min(other.id) as first_id,
    string_agg(other.name, ',' order by other.id) as told
from person inner join person as other on person.company = other.company
group by all order by told
"""


def main(path: str) -> None:
    connection = duckdb.connect(path, config={"threads": 1, "memory_limit": "1GB"})
    print("at work", flush=True)
    while True:
        connection.execute(_PEOPLE)
        connection.execute(_GOLDEN)
        connection.execute("checkpoint")


if __name__ == "__main__":
    main(sys.argv[1])
