"""A plan carried out at full scale, and what it leaves."""
