"""Survivorship: which value of a cluster becomes the golden one, by rules that are data.

Belongs here: the rules (survivorship.toml) and their check (rules.py), locks (locks.py), the kernel (kernel.py), the
form it works on (members.py) and the order each rule makes (ranks.py). Does not: golden rows (sql/golden), ids
(identity.py). Surprise: this file imports nothing, so that settings can check a user's rules without loading Arrow.
"""
