"""A search: what is tried next, on how much data, and what was learnt from it."""
