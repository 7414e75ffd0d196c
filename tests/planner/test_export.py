"""What a run leaves is taken up by other tools, in a process that cannot import effauto."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import effauto
from effauto.planner.running.outcome import Outcome

pytestmark = pytest.mark.slow
ALONE = "import sys; sys.modules['effauto'] = None\n"
TRANSFORMERS = """
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer
folder = sys.argv[1]
body, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
head = load_file(folder + '/model.safetensors')
inputs = tokenizer(sys.argv[2], return_tensors='pt')
inputs.pop('token_type_ids', None)
states = body.eval()(**inputs).last_hidden_state.mean(dim=1)
weight, bias = head['effauto_head.head.weight'], head['effauto_head.head.bias']
print(int((states @ weight.T + bias).argmax()))
"""
ONNX = """
import numpy as np, onnxruntime
from tokenizers import Tokenizer
folder = sys.argv[1]
session = onnxruntime.InferenceSession(folder + '/model.onnx')
encoded = Tokenizer.from_file(folder + '/tokenizer.json').encode(sys.argv[2])
given = {'input_ids': encoded.ids, 'attention_mask': encoded.attention_mask,
         'token_type_ids': encoded.type_ids}
feed = {i.name: np.array([given[i.name]], dtype=np.int64) for i in session.get_inputs()}
print(int(session.run(None, feed)[0].argmax()))
"""


def outcome_of(task: Path, model: Path, recipe: str, folder: Path) -> Outcome:
    plan = effauto.plan(task, model=str(model), recipe=recipe)
    return effauto.run(plan, folder / "model")


def answer(program: str, *arguments: Any) -> str:
    command = [sys.executable, "-c", ALONE + program, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def untouched(
    task_folder: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    return outcome_of(task_folder, tiny_model, "untouched", tmp_path_factory.mktemp("export"))


def text_of(task: Path) -> str:
    first = json.loads((task / "test.jsonl").read_text().splitlines()[0])
    return str(first["text"])


def test_transformers_loads_it_and_says_the_same(untouched: Outcome, task_folder: Path) -> None:
    text = text_of(task_folder)
    (label,) = effauto.load(untouched.folder).predict([text])
    found = answer(TRANSFORMERS, untouched.folder, text)
    assert untouched.plan.classes[int(found)] == label


def test_onnxruntime_runs_it_alone(task_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("effauto.bundled.onnx_runtime", reason="this plugin is not here")
    outcome, text = (
        outcome_of(task_folder, tiny_model, "onnx-runtime", tmp_path),
        text_of(task_folder),
    )
    (label,) = effauto.load(outcome.folder).predict([text])
    assert outcome.plan.classes[int(answer(ONNX, outcome.folder, text))] == label


def test_its_recipe_makes_it_again(untouched: Outcome, tmp_path: Path) -> None:
    again = effauto.run(untouched.folder / "recipe.json", tmp_path / "again")
    assert again.measurement["quality.accuracy"] == untouched.measurement["quality.accuracy"]


def test_its_card_is_one_of_the_hub(untouched: Outcome) -> None:
    from huggingface_hub import ModelCard

    card = ModelCard.load(untouched.folder / "README.md")
    assert card.data.library_name == "effauto"
    assert card.data.pipeline_tag == "text-classification"
    (result,) = card.data.eval_results
    assert result.metric_value == pytest.approx(
        untouched.measurement["quality.accuracy"].value, abs=1e-4
    )
    assert "CO2 equivalent of that" in card.text
    assert yaml.safe_load(card.content.split("---")[1])["tags"][0] == "effauto"


def test_its_requirements_can_be_installed(untouched: Outcome) -> None:
    lines = (untouched.folder / "requirements.txt").read_text().splitlines()
    assert lines[0].startswith("# Python 3.")
    assert all("==" in line and "+" not in line for line in lines[1:])
    assert any(line.startswith("torch==") for line in lines)
