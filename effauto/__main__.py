"""``python -m effauto`` is ``effauto``."""

from effauto.cli import main

main(prog_name="effauto")
