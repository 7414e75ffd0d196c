"""Sources of plugins that tests write to a folder, each below the same import line."""

PROLOGUE = "from effauto import FITS, Float, Int, Method, Needs, Verdict, hookimpl\n"

GOOD = """
class Good(Method):
    name, summary, stage = "good", "A method.", "data"

@hookimpl
def register_methods():
    yield Good()
"""
