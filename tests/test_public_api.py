"""The names that plugins and Python users rely on change only on purpose."""

from __future__ import annotations

import subprocess
import sys

import pytest

import effauto

PUBLIC = """
    BASELINE FITS SCRATCH_BASELINE Accelerator Batch Choice Context DeclarationError Descent
    EffAutoClassifier EffautoError Evidence Examples Float Hardware Int Listener Masking Method
    ModelTraits Moment Needs Pieces Predictor Rate Recipe Results Runtime Search Setting TaskModel
    TaskTraits
    Training Verdict Workload attend_by attentions collate embed encode_training frozen_features
    gate_gradients hookimpl load load_task plan row_losses rows_at run same_hooks
""".split()  # noqa: SIM905


def test_the_public_names_are_pinned():
    assert effauto.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there(name):
    assert getattr(effauto, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        effauto.nonsense  # noqa: B018


def test_importing_effauto_imports_nothing_heavy():
    program = (
        "import sys, effauto; "
        "print({'torch', 'transformers', 'numpy', 'click', 'networkx', 'pint'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "set()"
