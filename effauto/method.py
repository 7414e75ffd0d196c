"""The contract: what a method declares, and the three readings of a recipe that it answers.

1. legality: ``slot``, ``requires``, ``forbids``, ``provides``, ``removes``, ``before``, ``after``,
   ``needs`` and :meth:`Method.fits`;
2. cost: :meth:`Method.cost` changes a :class:`~effauto.workload.Workload`;
3. execution: the verbs ``prepare``, ``build``, ``train``, ``compress`` and ``serve`` in this
   order, each the identity unless overridden, and ``restore`` and ``reopen`` for a saved artefact.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from effauto.errors import DeclarationError
from effauto.knobs import Choice, Float, Int, Knob, Setting
from effauto.machine import Hardware
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload

if TYPE_CHECKING:
    from effauto.execution.context import Context
    from effauto.execution.predictor import Predictor, Runtime
    from effauto.execution.training import Training
    from effauto.model.transformer import TaskModel
    from effauto.task.examples import Examples

STAGES = ("data", "design", "pretrain", "finetune", "compress", "inference")
VERBS = ("prepare", "build", "train", "compress", "serve")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FACT = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done; if not, why, in one sentence."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


FITS = Verdict()


@dataclass(frozen=True)
class Needs:
    """What must be there for a method to run at all.

    ``devices`` it runs on; CPU ``instructions`` of which all are needed; ``packages`` maps an
    import name to the extra of effauto (or the distribution) that installs it; an ``executable``
    of False marks a method that is costed but that no code here can run.
    """

    devices: tuple[str, ...] = ("cpu", "cuda")
    instructions: tuple[str, ...] = ()
    memory_bytes: float = 0.0
    compute_capability: tuple[int, int] = (0, 0)
    packages: Mapping[str, str] | None = None
    executable: bool = True

    def met(self, hardware: Hardware) -> Verdict:
        """Whether ``hardware``, and this Python environment, can run it."""
        if not self.executable:
            return Verdict("has no code that runs: it is here to be costed only")
        if hardware.device not in self.devices:
            return Verdict(
                f"runs on {' or '.join(self.devices)}, and this machine has neither"
                if len(self.devices) > 1
                else f"runs on {self.devices[0]}, and this machine computes on {hardware.device}"
            )
        missing = [flag for flag in self.instructions if flag not in hardware.flags]
        if missing and hardware.device == "cpu":
            return Verdict(f"needs the CPU instructions {', '.join(missing)}")
        if hardware.memory_bytes < self.memory_bytes:
            return Verdict(f"needs {self.memory_bytes / 2**30:.1f}GiB of memory")
        for gpu in hardware.accelerators[:1]:
            if gpu.capability < self.compute_capability:
                wanted = ".".join(map(str, self.compute_capability))
                return Verdict(f"needs a GPU of compute capability {wanted}")
        return installed(self.packages or {})

    @property
    def named(self) -> tuple[str, ...]:
        """What not every machine and installation has, a few words each."""
        found = [] if len(self.devices) > 1 else [f"a {self.devices[0].upper()}"]
        found += (f"{flag} (CPU)" for flag in self.instructions)
        if self.memory_bytes:
            found.append(f"{self.memory_bytes / 2**30:.3g}GiB of memory")
        if any(self.compute_capability):
            found.append(f"compute capability {'.'.join(map(str, self.compute_capability))} (GPU)")
        found += dict.fromkeys(_pip_name(extra) for extra in (self.packages or {}).values())
        return tuple(found)


def installed(packages: Mapping[str, str]) -> Verdict:
    """Whether these import names are there; each with the extra or distribution it is from."""
    for package, extra in packages.items():
        if find_spec(package) is None:
            return Verdict(f"needs the package {package}: pip install '{_pip_name(extra)}'")
    return FITS


def _pip_name(extra: str) -> str:
    return extra if "=" in extra or "/" in extra else f"effauto[{extra}]"


@dataclass(frozen=True)
class Evidence:
    """A published figure: what was claimed, where, at which scale, and how it was checked."""

    claim: str
    source: str
    setting: str
    checked: str


class Method:
    """Base class of every method: constants to declare, readings to answer.

    Facts are words such as ``float_weights`` that hold, or not, at a point of a recipe: a method
    ``requires`` and ``forbids`` some before it, and ``provides`` and ``removes`` some after it.
    ``before`` and ``after`` name methods, slots or stages that it must precede or follow; within
    these, stages run in their order. At most one method of a ``slot`` stands in a recipe. Raise
    ``version`` when what the method does, or a default, changes: earlier trials then do not count.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    stage: ClassVar[str]
    version: ClassVar[str] = "1"
    slot: ClassVar[str | None] = None
    requires: ClassVar[frozenset[str]] = frozenset()
    forbids: ClassVar[frozenset[str]] = frozenset()
    provides: ClassVar[frozenset[str]] = frozenset()
    removes: ClassVar[frozenset[str]] = frozenset()
    before: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[Needs] = Needs()
    knobs: ClassVar[Mapping[str, Knob]] = {}
    references: ClassVar[tuple[str, ...]] = ()
    evidence: ClassVar[tuple[Evidence, ...]] = ()

    def __init_subclass__(cls) -> None:
        _check_declaration(cls)

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        """Whether the method makes sense here. Fast, and imports nothing heavy."""
        return FITS

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Return the work as this method changes it. Fast, deterministic, imports nothing heavy."""
        return work

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        """Return the training examples to use, in the order to use them."""
        return data

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        """Return the model to train: its structure changed, adapters added, parts frozen."""
        return model

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        """Return how to train: optimizer, loss, order, schedule, or another fit altogether."""
        return training

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        """Return the trained model made smaller or faster."""
        return model

    def serve(self, predictor: Predictor, setting: Setting, context: Context) -> Predictor:
        """Return the predictor as it will answer requests."""
        return predictor

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        """Give a model just built from the saved config the structure that ``compress`` left.

        Its numbers are loaded afterwards, by name; no training data is there.
        """
        return model

    def reopen(self, folder: Path, setting: Setting, threads: int) -> Runtime | None:
        """Return the runtime that ``serve`` saved in ``folder``, or None if it is another's."""
        return None


def _check_declaration(cls: type[Method]) -> None:
    def wrong(what: str) -> DeclarationError:
        return DeclarationError(f"{cls.__module__}.{cls.__qualname__}: {what}")

    if not _NAME.fullmatch(str(getattr(cls, "name", ""))):
        raise wrong("name must be lower-case words joined by hyphens, such as 'two-words'")
    summary = getattr(cls, "summary", "")
    if not isinstance(summary, str) or not 0 < len(summary) <= 80 or "\n" in summary:
        raise wrong("summary must be one line of at most 80 characters")
    if getattr(cls, "stage", None) not in STAGES:
        raise wrong(f"stage must be one of {', '.join(STAGES)}")
    if cls.slot is not None and not _NAME.fullmatch(cls.slot):
        raise wrong("slot must be lower-case words joined by hyphens, or None")
    for kind in ("requires", "forbids", "provides", "removes"):
        facts = getattr(cls, kind)
        if not isinstance(facts, frozenset) or not all(_FACT.fullmatch(str(f)) for f in facts):
            raise wrong(
                f"{kind} must be a frozenset of facts, such as frozenset({{'float_weights'}})"
            )
    if cls.requires & cls.forbids:
        raise wrong(f"requires and forbids {', '.join(sorted(cls.requires & cls.forbids))}")
    for kind in ("before", "after"):
        names = getattr(cls, kind)
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise wrong(f"{kind} must be a tuple of methods, slots or stages")
    if not isinstance(cls.needs, Needs):
        raise wrong("needs must be a Needs(…)")
    for knob_name, knob in dict(cls.knobs).items():
        if not str(knob_name).isidentifier() or not isinstance(knob, Float | Int | Choice):
            raise wrong(f"knob {knob_name!r} must be an identifier with a Float, Int or Choice")
    for verb in ("fits", "cost", *VERBS, "restore", "reopen"):
        theirs, ours = (
            inspect.signature(getattr(cls, verb)),
            inspect.signature(getattr(Method, verb)),
        )
        if list(theirs.parameters) != list(ours.parameters):
            raise wrong(f"{verb} must take {', '.join(list(ours.parameters)[1:])}")


def no_such_method(name: str, known: Iterable[str]) -> str:
    """A sentence that says so, and which of those ``known`` are written much like it."""
    near = get_close_matches(name, list(known), 2)
    meant = f"did you mean {' or '.join(near)}? See" if near else "see"
    return f"there is no method {name!r}; {meant} 'effauto methods list'"
