"""A recipe as a picture: its methods from left to right, in the order in which they act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from effauto.composition import precedence
from effauto.method import Method
from effauto.recipe import Recipe, Step
from effauto.report.plan import setting

if TYPE_CHECKING:
    import networkx as nx

WIDTH, GAP, LINE, HEAD, ROW_GAP, TOP = 176, 44, 17, 30, 16, 32
# A line of a box holds so many characters of the small type.
CHARACTERS = 25
UNKNOWN_STAGE = "not installed here"
START, END = "", "answers"


@dataclass(frozen=True)
class Box:
    """A method, or an end of the picture; places and sizes in pixels."""

    title: str
    lines: tuple[str, ...]
    x: int
    y: int
    end: bool = False

    @property
    def height(self) -> int:
        return HEAD + LINE * len(self.lines)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Arrow:
    """From the right of one box to the left of another, and why that order."""

    x1: float
    y1: float
    x2: float
    y2: float
    reason: str

    @property
    def path(self) -> str:
        bend = (self.x1 + self.x2) / 2
        return f"M{self.x1},{self.y1} C{bend},{self.y1} {bend},{self.y2} {self.x2},{self.y2}"


@dataclass(frozen=True)
class Picture:
    """Boxes, arrows and the heading of each column, with the size of it all."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    headings: tuple[tuple[int, str], ...]
    width: int
    height: int
    told: str


def picture(model: str, recipe: Recipe, methods: Mapping[str, Method]) -> Picture:
    """Lay the recipe out; a method that is not installed here stands last."""
    import networkx as nx

    steps = {step.method: step for step in recipe.steps}
    graph = precedence([methods[name] for name in steps if name in methods])
    columns = [sorted(column) for column in nx.topological_generations(graph)]
    stages = [methods[column[0]].stage for column in columns]
    if unknown := sorted(set(steps) - set(methods)):
        columns, stages = [*columns, unknown], [*stages, UNKNOWN_STAGE]
    boxes = _boxes(model, columns, steps)
    return Picture(
        boxes=tuple(boxes.values()),
        arrows=tuple(_arrows(graph, boxes, [name for column in columns for name in column])),
        headings=tuple((_x(place), stage) for place, stage in enumerate(stages, 1)),
        width=_x(len(columns) + 2) - GAP + 8,
        height=max(box.y + box.height for box in boxes.values()) + 8,
        told=" → ".join([model, *(", ".join(column) for column in columns), END]),
    )


def _x(column: int) -> int:
    return 8 + column * (WIDTH + GAP)


def _boxes(model: str, columns: list[list[str]], steps: Mapping[str, Step]) -> dict[str, Box]:
    boxes = {START: Box(model, ("the model to begin with",), _x(0), TOP, end=True)}
    for place, column in enumerate(columns, 1):
        top = TOP
        for name in column:
            boxes[name] = Box(name, _lines(steps[name]), _x(place), top)
            top += boxes[name].height + ROW_GAP
    boxes[END] = Box(END, ("of the model it makes",), _x(len(columns) + 1), TOP, end=True)
    return boxes


def _lines(step: Step) -> tuple[str, ...]:
    shown = [setting({knob: value}).strip(" ()") for knob, value in step.values]
    return tuple(s if len(s) <= CHARACTERS else f"{s[: CHARACTERS - 1]}…" for s in shown)


def _arrows(
    graph: nx.DiGraph[str], boxes: Mapping[str, Box], names: Iterable[str]
) -> Iterator[Arrow]:
    """What must precede what, without what follows from the rest; the ends hold all together."""
    import networkx as nx

    needed = nx.transitive_reduction(graph)
    for name in names:
        if name not in graph or not needed.pred[name]:
            yield _arrow(boxes[START], boxes[name], "the model comes first")
        if name not in graph or not needed.succ[name]:
            yield _arrow(boxes[name], boxes[END], "the answers come last")
    for first, second in needed.edges:
        yield _arrow(boxes[first], boxes[second], graph.edges[first, second]["reason"])
    if len(boxes) == 2:
        yield _arrow(boxes[START], boxes[END], "nothing is done to the model")


def _arrow(first: Box, second: Box, reason: str) -> Arrow:
    return Arrow(first.x + WIDTH, first.middle, second.x - 6, second.middle, reason)
