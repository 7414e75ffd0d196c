"""What :mod:`effauto.planner.search` is made of: results, features, models, what to ask next."""
