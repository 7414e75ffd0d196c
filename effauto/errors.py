"""The errors effauto raises on purpose; anything else is a bug and shows its traceback.

EffautoError                    exit code 2: the message says what, where, why and the mend
    DeclarationError            a Method class contradicts itself
    PluginError                 a plugin cannot be used
        NameTaken               two plugins, two methods or two commands want one name
    InputError                  something the user gave cannot be used
        BudgetError             an unknown resource, a wrong unit, an impossible limit
        DataError               the task's files cannot be read as a task
        ModelError              the model cannot be found or loaded
        HardwareError           no such machine profile, or its file is wrong
        PlanError               a plan file is corrupt or of another schema
        SettingError            a knob does not exist or its value is out of range
    MissingExtra                a package that an extra brings is not installed
    StoreError                  the results database cannot be used
    OutputError                 a result cannot be written where it was asked for
    IllegalRecipe               the recipe breaks a rule of composition
    TrialError                  a recipe failed while it ran
        OutOfMemory             it needed more memory than it may use
        TimedOut                it needed more time than it may use
        Crashed                 the process that ran it died
            WorkerLost          the process that was to run it died, by no fault of the recipe
    Interrupted                 exit code 130: the user stopped the work
    Infeasible                  exit code 3: nothing fits the budget
"""

from __future__ import annotations

from typing import ClassVar


class EffautoError(Exception):
    """Base of every error that the command line shows without a traceback."""

    exit_code: ClassVar[int] = 2


class DeclarationError(EffautoError):
    """A Method class contradicts itself."""


class PluginError(EffautoError):
    """A plugin cannot be used."""


class NameTaken(PluginError):
    """Two plugins, two methods or two commands want one name."""


class InputError(EffautoError):
    """Something the user gave cannot be used."""


class BudgetError(InputError):
    """A limit names an unknown resource or unit, or can never be met."""


class DataError(InputError):
    """The task's files cannot be read as a task."""


class ModelError(InputError):
    """The model cannot be found or loaded."""


class HardwareError(InputError):
    """There is no such machine profile, or its file is wrong."""


class PlanError(InputError):
    """A plan file is corrupt, or was written by another schema version."""


class SettingError(InputError):
    """A method has no such knob, or the knob cannot take that value."""


class TransferError(EffautoError):
    """A model cannot be put into the maximal-update parametrisation."""


class MissingExtra(EffautoError):
    """Something needs a package that is not installed; the message says which extra brings it."""


class StoreError(EffautoError):
    """The results database cannot be used."""


class OutputError(EffautoError):
    """A result cannot be written where it was asked for."""


class IllegalRecipe(EffautoError):
    """The recipe breaks a rule of composition; the message holds one sentence per rule."""


class TrialError(EffautoError):
    """A recipe failed while it ran."""


class OutOfMemory(TrialError):
    """A recipe needed more memory than it may use."""


class TimedOut(TrialError):
    """A recipe needed more time than it may use."""


class Crashed(TrialError):
    """The process that ran a recipe died."""


class WorkerLost(Crashed):
    """The worker that was to run a recipe is gone; another may take it."""


class Interrupted(EffautoError):
    """The user stopped the work; what was finished is kept."""

    exit_code: ClassVar[int] = 130


class Infeasible(EffautoError):
    """Nothing fits the budget."""

    exit_code: ClassVar[int] = 3
