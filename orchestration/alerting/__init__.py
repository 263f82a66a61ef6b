"""Alerts: what is wrong, told once when it begins and once when it is over.

Belongs here: rules.py (what is wrong), book.py (since when, and who knows), channels.py (telling), watch.py (one look).
Does not: the verb (`alerts.py`), when it is looked at (`automation.py`), the health of the installation (`health.py`).
"""
