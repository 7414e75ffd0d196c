"""Sources of plugins that tests write to a folder, each below the same import line."""

PROLOGUE = "from effauto import FITS, Float, Int, Method, Needs, Verdict, hookimpl\n"

GOOD = """
class Good(Method):
    name, summary, stage = "good", "A method.", "data"

@hookimpl
def register_methods():
    yield Good()
"""

# Methods for a bag of words, so that there are some to choose from whatever else is installed.
ROWS = """
class FirstRows(Method):
    name, summary, stage = "first-rows", "Trains on the first rows only.", "data"
    knobs = {"share": Float(0.3, 1.0, default=0.6)}

    def cost(self, work, setting):
        return work.on_share(setting["share"])

    def prepare(self, data, setting, context):
        return data.select(range(max(1, round(setting["share"] * len(data)))))


class RowsAgain(Method):
    name, summary, stage = "rows-again", "Reads each other row twice.", "data"

    def cost(self, work, setting):
        return work.on_share(1.5)

    def prepare(self, data, setting, context):
        return data.select([*range(len(data)), *range(0, len(data), 2)])


@hookimpl
def register_methods():
    yield from (FirstRows(), RowsAgain())
"""

NAPS = """
import time

class Naps(Method):
    name, summary, stage = "naps", "Sleeps first.", "data"
    def prepare(self, data, setting, context):
        time.sleep(3)
        return data

@hookimpl
def register_methods():
    return [Naps()]
"""
