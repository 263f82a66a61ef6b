"""The quality report: tables of numbers, history, accuracy, a second opinion, and one page a person can read.

Belongs here: everything after the SQL (`transforms/sql/quality`): what the SQL is given (given.py), making one night's
tables (night.py), accuracy (accuracy.py, labels.py), the second implementation (second.py), the verdict (verdict.py),
page and pictures (page.py, charts.py), the Dagster assets and checks (dag.py, the only module with Dagster).
Does not: blocking checks of contracts (`assets/checks.py`), flags (`orchestration/report.py`).
Surprise: page and tables hold counts and ids only, no value of any record, so the page may be mailed around.
"""
