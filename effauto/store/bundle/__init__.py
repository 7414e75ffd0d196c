"""Bundles: results in one file that describes itself, to be shared and merged.

A bundle is JSON Lines (a first line about the whole, then a line a trial) or Parquet (a row a
trial). No text of a data set is in it, for none is stored.
"""

from effauto.store.bundle.exporting import export_results
from effauto.store.bundle.importing import Imported, import_results

__all__ = ["Imported", "export_results", "import_results"]
