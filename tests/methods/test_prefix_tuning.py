"""prefix-tuning: against the definition and transformers' own cache of keys and values."""

from __future__ import annotations

import pytest
import torch
from families import tiny
from running import run
from saving import exports_alike, logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

plugin = pytest.importorskip("effauto.bundled.prefix_tuning", reason="this plugin is not here")
prefixes = pytest.importorskip("effauto.bundled.prefix_tuning.prefixes")
METHOD = plugin.PrefixTuning()
SETTING = {"length": 5, "epochs": 1, "learning_rate": 1e-2}


def prefixes_of(model: TaskModel) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, prefixes.Prefix)]


def disturbed(model: TaskModel) -> TaskModel:
    torch.manual_seed(1)
    for prefix in prefixes_of(model):
        nn.init.normal_(prefix.keys)
        nn.init.normal_(prefix.values)
    return model.eval()


def test_a_head_attends_to_prefix_and_words(model, context):
    """softmax(q [P; K]ᵀ / √d) [P'; V], head by head and row by row."""
    attention = disturbed(METHOD.build(model, SETTING, context)).layers[0].attention.self
    x, kept = torch.randn(2, 6, 32), torch.tensor([6, 4])
    mask = torch.where(torch.arange(6) < kept[:, None], 0.0, torch.finfo().min)[:, None, None]
    with torch.inference_mode():
        found, *_ = attention(x, mask.expand(2, 1, 6, 6))
        for row, head in ((0, 0), (1, 2)):
            part = slice(8 * head, 8 * head + 8)
            q, k, v = (
                getattr(attention, name)(x[row])[:, part] for name in ("query", "key", "value")
            )
            k = torch.cat([attention.prefix.keys[head], k[: kept[row]]])
            v = torch.cat([attention.prefix.values[head], v[: kept[row]]])
            expected = (q @ k.T / 8**0.5).softmax(-1) @ v
            torch.testing.assert_close(found[row, :, part], expected)


@pytest.mark.parametrize("family", ["Bert", "GPT2", "Llama"])
def test_it_computes_what_a_cache_of_keys_and_values_gives(context, family):
    """That is how peft hands a prefix to transformers; positions are those of the words here."""
    from transformers import DynamicCache

    more = {"num_key_value_heads": 2} if family == "Llama" else {}
    plain, model = tiny(family, **more).eval(), tiny(family, **more)
    disturbed(METHOD.build(model, SETTING, context))
    cache = DynamicCache(config=plain.config)
    for number, prefix in enumerate(prefixes_of(model)):
        keys, values = (t.detach().expand(3, -1, -1, -1) for t in (prefix.keys, prefix.values))
        cache.update(keys, values, number)
    words = torch.randint(100, (3, 6))
    mask = (torch.arange(6) < torch.tensor([6, 6, 4])[:, None]).long()
    with torch.inference_mode():
        found = model.encoder(input_ids=words, attention_mask=mask).last_hidden_state
        expected = plain.encoder(
            input_ids=words,
            attention_mask=torch.cat([torch.ones(3, 5).long(), mask], dim=1),
            position_ids=torch.arange(6)[None],
            past_key_values=cache,
        ).last_hidden_state
    torch.testing.assert_close(found[mask > 0], expected[mask > 0], atol=1e-5, rtol=1e-4)


def test_it_computes_what_peft_computes(context):
    """peft counts the places of words from the prefix's end on; here they keep their own."""
    peft = pytest.importorskip("peft", reason="the reference is peft's")
    plain, model = tiny("Bert").eval(), tiny("Bert")
    found = disturbed(METHOD.build(model, SETTING, context))
    places = found.encoder.embeddings.position_embeddings.weight
    places.data = places.data.roll(-SETTING["length"], dims=0)
    shape = {"num_layers": len(plain.layers), "token_dim": 32, "num_attention_heads": 4}
    config = peft.PrefixTuningConfig(
        task_type="FEATURE_EXTRACTION", num_virtual_tokens=SETTING["length"], **shape
    )
    theirs = peft.get_peft_model(plain.encoder, config).eval()
    parts = [t.transpose(0, 1).flatten(1) for p in prefixes_of(model) for t in (p.keys, p.values)]
    theirs.prompt_encoder["default"].embedding.weight.data = torch.cat(parts, dim=1).detach()
    words = torch.randint(100, (3, 6))
    mask = (torch.arange(6) < torch.tensor([6, 6, 4])[:, None]).long()
    with torch.inference_mode():
        answers = found.encoder(input_ids=words, attention_mask=mask).last_hidden_state
        expected = theirs(input_ids=words, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(answers[mask > 0], expected[mask > 0], atol=1e-5, rtol=1e-4)


def test_prefixes_start_as_keys_and_values_of_words(model, context):
    plain = context.untouched().eval()
    model = METHOD.build(model, SETTING, context)
    chance = torch.Generator().manual_seed(context.seed)
    numbers = torch.randint(30_522, (1, 5), generator=chance)
    with torch.inference_mode():
        states = plain.encoder.embeddings(input_ids=numbers)
        keys = plain.layers[0].attention.self.key(states).view(5, 4, 8).transpose(0, 1)
    torch.testing.assert_close(model.layers[0].attention.self.prefix.keys, keys)


def test_only_prefixes_and_head_are_trained(surroundings, work):
    context = surroundings(examples_of("text-classification", 40))
    model = METHOD.build(context.untouched(), SETTING, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    cost = METHOD.cost(work, SETTING)
    assert cost.trainable_parameters == trained
    added = sum(p.numel() for prefix in prefixes_of(model) for p in prefix.parameters())
    assert cost.parameters - work.parameters == added
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    assert moved == {n for n in before if ".prefix." in n or n.startswith("head.")}


def test_the_model_survives_saving(model, context, tmp_path):
    model = disturbed(METHOD.build(model, SETTING, context))
    loaded = saved(predictor_of(model, context), METHOD, SETTING, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


@pytest.mark.slow
def test_the_exported_graph_computes_the_same(model, context):
    exports_alike(disturbed(METHOD.build(model, SETTING, context)), context)


def test_another_model_in_the_process_is_left_alone(model, context):
    plain = logits_of(context.untouched())
    METHOD.build(model, SETTING, context)
    assert (logits_of(context.untouched()) == plain).all()


@pytest.mark.parametrize("family", ["DistilBert", "Roberta", "ModernBert"])
def test_many_families_are_reached(context, family):
    model = tiny(family).eval()
    numbers = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}
    with torch.inference_mode():
        plain = model(**numbers)
        prefixed = disturbed(METHOD.build(model, SETTING, context))(**numbers)
    assert (prefixed - plain).abs().max() > 1e-4


def test_a_body_with_an_attention_of_its_own_is_refused(context):
    with pytest.raises(EffautoError, match="cannot reach the attention of MPNetModel"):
        METHOD.build(tiny("MPNet"), SETTING, context)


def test_longer_prefixes_cost_more(work):
    costs = [METHOD.cost(work, SETTING | {"length": length}) for length in (1, 10, 50)]
    for field in ("layer_parameters", "trainable_parameters"):
        values = [getattr(cost, field) for cost in costs]
        assert sorted(set(values)) == values
    assert costs[0].layer_parameters > work.layer_parameters
    assert costs[0].request_tokens == work.request_tokens


@pytest.mark.parametrize("kind", ["pair-classification", "token-classification"])
def test_it_composes_with_what_comes_before_and_after(source, tmp_path, kind):
    steps = {"layer-drop": {"keep": 0.5}, METHOD.name: SETTING, "int8-dynamic": {}}
    if kind == "pair-classification":
        steps["bi-encoder"] = {}
    predictor = run(steps, source, tmp_path, kind).predictor
    assert len(prefixes_of(predictor.runtime.model)) == 2
