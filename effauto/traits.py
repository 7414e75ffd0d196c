"""What a method may know of a task and of a model before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, Self

TaskKind = Literal[
    "text-classification",
    "pair-classification",
    "token-classification",
    "language-modeling",
    "masked-language-modeling",
]
LANGUAGE_MODELING: Final = "language-modeling"
MASKED_LANGUAGE_MODELING: Final = "masked-language-modeling"
# Kinds of tasks that are nothing but text, whose classes are its pieces.
PLAIN_TEXT: Final = (LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING)
# The piece that stands for one that is hidden, and the share of pieces that are: in training unless
# a method says otherwise, and always where a model is judged (Devlin et al. 2019, section 3.1).
MASK: Final = "<mask>"
HIDDEN: Final = 0.15
# The fact of a model that holds no numbers yet.
FROM_SCRATCH = "from_scratch"
Family = Literal["transformer", "linear"]


class _Json:
    """Dataclasses that live in a plan file; unknown keys of a newer effauto are ignored."""

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)  # type: ignore[call-overload]
        return {k: sorted(v) if isinstance(v, frozenset) else v for k, v in data.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        names = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        return cls(**{key: value for key, value in data.items() if key in names})


@dataclass(frozen=True)
class TaskTraits(_Json):
    """The meta-features of a task. Lengths are in word pieces, shares lie in [0, 1].

    ``classes`` is the number of labels (or tags); ``tokens_*`` describe one example, both texts of
    a pair together; ``length_counts``, if measured, are those of
    :class:`~effauto.lengths.Lengths`, and ``side_counts`` those of the longer text of each pair.
    """

    kind: TaskKind
    metric: str
    examples: int
    classes: int
    tokens_mean: float
    tokens_p95: float
    tokens_max: float
    duplicate_share: float = 0.0
    majority_share: float = 0.0
    length_counts: tuple[int, ...] = ()
    side_counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "length_counts", tuple(self.length_counts))
        object.__setattr__(self, "side_counts", tuple(self.side_counts))


@dataclass(frozen=True)
class ModelTraits(_Json):
    """The shape of a model and the facts that hold of it before any method touched it.

    ``layer_parameters`` counts one layer; of these ``layer_vectors`` multiply nothing (biases and
    norms), and its matrices have ``layer_rows`` outputs together. ``key_width`` is that of all key
    heads (0: as wide as the model); ``gated`` tells an inner layer with a gate beside it; a
    dropout of 0 in the attention lets faster kernels run; beside it a layer has ``dropouts``.
    ``folder_bytes`` is what stands in a saved folder beside the numbers (0: not known). A
    ``linear`` model has no layers.
    """

    name: str
    family: Family
    layers: int
    width: int
    feedforward: int
    heads: int
    vocabulary: int
    max_tokens: int
    embedding_parameters: int
    layer_parameters: int
    facts: frozenset[str]
    layer_vectors: int = 0
    layer_rows: int = 0
    attention_width: int = 0
    key_width: int = 0
    gated: bool = False
    dropout: float = 0.1
    attention_dropout: float = 0.1
    dropouts: int = 2
    folder_bytes: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", frozenset(self.facts))

    @property
    def parameters(self) -> int:
        return self.embedding_parameters + self.layers * self.layer_parameters
