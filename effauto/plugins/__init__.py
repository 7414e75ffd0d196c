"""Find plugins, load them, and keep a broken one from hurting the rest."""

from effauto.plugins.failure import AnyFailure, Broken, described, guarded
from effauto.plugins.find import Candidate, find_all, find_in_folder
from effauto.plugins.load import Plugins, load_plugins

__all__ = [
    "AnyFailure",
    "Broken",
    "Candidate",
    "Plugins",
    "described",
    "find_all",
    "find_in_folder",
    "guarded",
    "load_plugins",
]
