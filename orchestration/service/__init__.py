"""The HTTP service: everything that polls or pushes meets halosync here.

Belongs here: routes, keys at the door, error envelopes, limits, and how an answer looks on the wire.
Does not: what the answers say (`assets/publishing`), the warehouse (the service opens the ledger only).
Surprise: the service keeps nothing in memory that matters, so several of them on one ledger behave as one.
"""
