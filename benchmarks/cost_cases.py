"""Cases for ``costs.py``: a model, a made-up task and a legal recipe, drawn by a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from effauto.checks.tiny import WORDS
from effauto.composition import compose
from effauto.knobs import Choice, Int, Knob, Value
from effauto.machine import Hardware
from effauto.method import Method
from effauto.model.source import ModelSource, find_model
from effauto.planner.situation import piece_counter
from effauto.recipe import Recipe
from effauto.task.examples import Examples
from effauto.task.exchange import write_split
from effauto.task.traits import measure
from effauto.traits import TaskKind, TaskTraits

# Name -> how many rows of 128 word pieces it can train on in a few seconds.
MODELS = {"minilm": 16, "distilbert": 5, "bert-medium": 8, "llama-small": 40}
LENGTHS = (16, 32, 64, 96, 128, 192, 256)
KINDS: tuple[TaskKind, ...] = (
    "text-classification",
    "text-classification",
    "pair-classification",
    "token-classification",
)
MOST_METHODS, MOST_DRAWS, EPOCHS, JUDGED_ROWS = 4, 300, 2, 32
FEWEST_ROWS, MOST_ROWS = 8, 96


@dataclass(frozen=True)
class Case:
    """What is measured: enough to make it again, and to foretell it."""

    number: int
    model: str
    kind: TaskKind
    tokens: int
    rows: int
    recipe: Recipe
    seed: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"recipe": self.recipe.to_json()}


def draw_case(
    number: int, seed: int, methods: Mapping[str, Method], folder: Path, hardware: Hardware
) -> tuple[Case, ModelSource, TaskTraits]:
    """The case of this number: models take turns, all else is chance; its rows are in ``folder``.

    A recipe is drawn anew until it is legal on the task; some need more draws than others, so
    rarely combined methods come up less.
    """
    chance = random.Random(f"{seed}/{number}")
    name = list(MODELS)[number % len(MODELS)]
    source, drawn, task = draw_task(name, chance, folder)
    kind, tokens, rows = drawn
    wanted = chance.randint(0, MOST_METHODS)
    for _ in range(MOST_DRAWS):
        chosen = chance.sample(sorted(methods), wanted)
        recipe = Recipe.from_settings({name: _setting(methods[name], chance) for name in chosen})
        if compose(recipe, methods, task, source.traits, hardware).legal:
            break
    else:
        recipe = Recipe()
    return Case(number, name, kind, tokens, rows, recipe, seed), source, task


def drawn_before(case: Mapping[str, Any], folder: Path) -> tuple[Case, ModelSource, TaskTraits]:
    """The same case as this one; its rows are in ``folder`` again."""
    chance = random.Random(f"{case['seed']}/{case['number']}")
    source, drawn, task = draw_task(case["model"], chance, folder)
    if drawn != (case["kind"], case["tokens"], case["rows"]):
        raise ValueError(f"case {case['number']} of seed {case['seed']} was drawn by other code")
    recipe = Recipe.from_json(case["recipe"])
    return Case(**{**case, "recipe": recipe}), source, task


def draw_task(
    model: str, chance: random.Random, folder: Path
) -> tuple[ModelSource, tuple[TaskKind, int, int], TaskTraits]:
    """A task for a model: its kind, the length of its longest rows, and how many there are."""
    source = find_model(model if model == "minilm" else str(write_model(model, folder.parent)))
    kind, tokens = chance.choice(KINDS), chance.choice(LENGTHS)
    most = max(FEWEST_ROWS, min(MOST_ROWS, MODELS[model] * 128 // tokens))
    rows = chance.randint(FEWEST_ROWS, most)
    return source, (kind, tokens, rows), write_task(folder, kind, tokens, rows, source, chance)


def _setting(method: Method, chance: random.Random) -> dict[str, Value]:
    """Any setting, but few epochs: they change what is measured only by a factor."""
    return {name: _drawn(name, knob, chance) for name, knob in method.knobs.items()}


def _drawn(name: str, knob: Knob, chance: random.Random) -> Value:
    if isinstance(knob, Choice):
        return chance.choice(knob.options)
    if name == "epochs" and isinstance(knob, Int):
        return max(knob.low, min(EPOCHS, knob.high))
    share = chance.random()
    low, high = knob.low, knob.high
    value = low * (high / low) ** share if knob.log else low + (high - low) * share
    return round(value) if isinstance(knob, Int) else min(max(value, low), high)


def write_task(
    folder: Path,
    kind: TaskKind,
    tokens: int,
    rows: int,
    source: ModelSource,
    chance: random.Random,
) -> TaskTraits:
    """Write a training and a validation split of rows about ``tokens`` long; return the traits."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = tuple(f"class {place}" for place in range(chance.randint(2, 4)))
    spread = chance.choice((0.0, 0.2, 0.5))
    made = {
        split: _examples(kind, tokens, count, spread, len(classes), chance)
        for split, count in (("train", rows), ("validation", JUDGED_ROWS))
    }
    for split, examples in made.items():
        write_split(examples, classes, folder / f"{split}.jsonl")
    counter = piece_counter(source)
    return measure(made["train"], len(classes), "accuracy", count_tokens=counter)


def _examples(
    kind: TaskKind, tokens: int, rows: int, spread: float, classes: int, chance: random.Random
) -> Examples:
    inputs, targets = [], []
    for row in range(rows):
        length = max(4, round(tokens * min(1.0, chance.lognormvariate(-spread, spread))) - 3)
        words = chance.choices(WORDS, k=length)
        if kind == "token-classification":
            inputs.append(tuple(words))
            targets.append(tuple(chance.randrange(classes) for _ in words))
            continue
        half = max(1, length // 2)
        fields = (" ".join(words[:half]), " ".join(words[half:]))
        inputs.append(fields if kind == "pair-classification" else (" ".join(words),))
        targets.append(row % classes)
    return Examples(kind, tuple(inputs), tuple(targets))


def write_model(name: str, folder: Path) -> Path:
    """Save a model of this shape with random weights below ``folder``, unless it is there."""
    path = folder / name
    if (path / "config.json").exists():
        return path
    import torch
    from transformers import AutoModel, BertConfig, DistilBertConfig, LlamaConfig

    path.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    configs = {
        "bert-medium": BertConfig(
            hidden_size=512, num_hidden_layers=8, num_attention_heads=8, intermediate_size=2048
        ),
        "distilbert": DistilBertConfig(),
        "llama-small": LlamaConfig(
            vocab_size=4000,
            hidden_size=256,
            num_hidden_layers=6,
            num_attention_heads=8,
            num_key_value_heads=4,
            intermediate_size=688,
            max_position_embeddings=512,
            pad_token_id=0,
        ),
    }
    if name == "llama-small":
        _write_tokenizer(path)
    else:
        pieces = (find_model("minilm").files / "tokenizer.json").read_bytes()
        (path / "tokenizer.json").write_bytes(pieces)
    model = AutoModel.from_config(configs[name])
    model.config.architectures = ["LlamaForCausalLM"] if name == "llama-small" else None
    model.save_pretrained(path)
    return path


def _write_tokenizer(path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    tokenizer = Tokenizer(
        WordLevel({word: n for n, word in enumerate((*marks, *WORDS))}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(path / "tokenizer.json"))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows measured so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
