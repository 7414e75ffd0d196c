"""prompt-tuning: against the definition and peft's own, for all that may be made of the states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from families import tiny
from running import run
from saving import exports_alike, inputs_of, logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

plugin = pytest.importorskip("effauto.bundled.prompt_tuning", reason="this plugin is not here")
prompts = pytest.importorskip("effauto.bundled.prompt_tuning.prompts")
METHOD = plugin.PromptTuning()
SETTING = {"length": 5, "epochs": 1, "learning_rate": 1e-2}
KINDS = ["text-classification", "pair-classification", "token-classification"]


def states_by_hand(model: TaskModel, vectors: torch.Tensor, numbers: dict) -> torch.Tensor:
    """What the body says of the words after these vectors."""
    words = model.encoder.embeddings.word_embeddings(numbers["input_ids"])
    rows = len(words)
    ones = torch.ones(rows, len(vectors), dtype=torch.long)
    return model.encoder(
        inputs_embeds=torch.cat([vectors.expand(rows, -1, -1), words], dim=1),
        attention_mask=torch.cat([ones, numbers["attention_mask"]], dim=1),
        token_type_ids=torch.cat([0 * ones, numbers["token_type_ids"]], dim=1),
    ).last_hidden_state[:, len(vectors) :]


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_pooled_and_tagged_without_the_prompts(surroundings, kind):
    context = surroundings(examples_of(kind, 8))
    plain, model = context.untouched().eval(), METHOD.build(context.untouched(), SETTING, context)
    vectors = nn.init.normal_(model.encoder.prompts.data)
    numbers = inputs_of(model)
    with torch.inference_mode():
        states = states_by_hand(plain, vectors, numbers)
        if kind != "token-classification":
            mask = numbers["attention_mask"]
            states = torch.stack([s[m > 0].mean(0) for s, m in zip(states, mask, strict=True)])
        torch.testing.assert_close(model.eval()(**numbers), plain.head(states))


def test_it_computes_what_peft_computes(model, context):
    peft = pytest.importorskip("peft")
    config = peft.PromptTuningConfig(
        task_type="FEATURE_EXTRACTION", num_virtual_tokens=SETTING["length"]
    )
    theirs = peft.get_peft_model(context.untouched().encoder, config).eval()
    ours = METHOD.build(model, SETTING, context).encoder.eval()
    numbers = inputs_of(model)
    with torch.inference_mode():
        ours.prompts.copy_(nn.init.normal_(theirs.prompt_encoder.default.embedding.weight))
        expected = theirs(**numbers).last_hidden_state[:, SETTING["length"] :]
        torch.testing.assert_close(ours(**numbers).last_hidden_state, expected)


def test_only_prompts_and_head_are_trained(surroundings, work):
    context = surroundings(examples_of("text-classification", 40))
    model = METHOD.build(context.untouched(), SETTING, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    table = before["encoder.embeddings.word_embeddings.weight"]
    assert all((vector == table).all(dim=1).any() for vector in before["encoder.prompts"])
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    cost = METHOD.cost(work, SETTING)
    assert cost.trainable_parameters == trained
    assert cost.parameters - work.parameters == model.encoder.prompts.numel()
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    assert moved == {"encoder.prompts", "head.weight", "head.bias"}


def test_the_model_survives_saving(model, context, tmp_path):
    model = METHOD.build(model, SETTING, context)
    nn.init.normal_(model.encoder.prompts)
    loaded = saved(predictor_of(model, context), METHOD, SETTING, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


@pytest.mark.slow
def test_the_exported_graph_computes_the_same(model, context):
    exports_alike(METHOD.build(model, SETTING, context), context)


def test_inputs_of_full_length_make_room(model, context):
    assert context.model.max_tokens == 512
    METHOD.build(model, SETTING, context)
    assert context.model.max_tokens == 504  # batches are padded to a multiple of eight
    context.source = replace(context.source, traits=replace(context.model, max_tokens=256))
    METHOD.build(context.untouched(), SETTING, context)
    assert context.model.max_tokens == 256
    assert np.isfinite(logits_of(model, 2, 504)).all()


@pytest.mark.parametrize(
    "family", ["DistilBert", "Roberta", "GPT2", "Llama", "ModernBert", "MPNet"]
)
def test_many_families_take_prompts(context, family):
    model = tiny(family).eval()
    numbers = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}
    with torch.inference_mode():
        plain = model(**numbers)
        led = METHOD.build(model, SETTING, context)(**numbers)
    assert led.shape == plain.shape
    assert (led - plain).abs().max() > 1e-4


def test_a_body_that_takes_no_vectors_is_refused(context):
    class Bare(nn.Module):
        config = type("Config", (), {"hidden_size": 4})()

        def forward(self, input_ids):
            return input_ids

    with pytest.raises(EffautoError, match="cannot lead the words of Bare"):
        prompts.add_prompts(TaskModel(Bare(), "text-classification", 3), torch.zeros(1, 4))


def test_longer_prompts_cost_more(work):
    costs = [METHOD.cost(work, SETTING | {"length": length}) for length in (1, 10, 50)]
    for field in ("train_tokens", "longest_tokens", "request_tokens", "trainable_parameters"):
        values = [getattr(work, field), *(getattr(cost, field) for cost in costs)]
        assert sorted(values[1:]) == values[1:]
        assert field == "trainable_parameters" or values[1] == values[0] + 1
    assert costs[0].weight_gradients == 0


@pytest.mark.parametrize("kind", KINDS[1:])
def test_it_composes_with_what_comes_before_and_after(source, tmp_path, kind):
    steps = {"layer-drop": {"keep": 0.5}, METHOD.name: SETTING, "int8-dynamic": {}}
    if kind == "pair-classification":
        steps["bi-encoder"] = {}
    predictor = run(steps, source, tmp_path, kind).predictor
    assert predictor.runtime.model.encoder.prompts.shape == (5, 32)
    assert predictor.max_tokens == 504
