"""Candidates: the space of all, those worth a look, those made to keep a budget."""
