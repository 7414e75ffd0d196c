"""Maximal update against its definition (Yang et al. 2021, tables 3 and 8) and against mup."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from effauto.errors import TransferError
from effauto.transfer import Multipliers, folded, maximal_update, parameter_groups, resized

NO_TOKENS = {"bos_token_id": 0, "eos_token_id": 0}
GPT2 = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=50, n_positions=16, **NO_TOKENS)
LLAMA = LlamaConfig(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=64,
    vocab_size=50,
    **NO_TOKENS,
)
BERT = BertConfig(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    vocab_size=50,
    max_position_embeddings=16,
)
MODELS = [(GPT2LMHeadModel, GPT2), (LlamaForCausalLM, LLAMA), (BertForMaskedLM, BERT)]
TOKENS = torch.arange(12).unsqueeze(0)


def built(kind: Any, config: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return kind(config).eval()


@pytest.mark.parametrize(("kind", "base"), MODELS)
def test_at_the_width_of_the_base_nothing_changes(kind: Any, base: Any) -> None:
    model, plain = built(kind, base), built(kind, base)
    scaled = maximal_update(model, base)
    assert torch.equal(model(TOKENS).logits, plain(TOKENS).logits)
    assert {group["lr"] for group in parameter_groups(model, scaled, 0.01)} == {0.01}


@pytest.mark.parametrize(("kind", "base"), MODELS)
def test_matrices_are_drawn_narrower_and_learn_slower(kind: Any, base: Any) -> None:
    wide = resized(base, 128)
    model, plain = built(kind, wide), built(kind, wide)
    scaled = maximal_update(model, base)
    known = dict(plain.named_parameters())
    rates = rates_of(model, parameter_groups(model, scaled, 1.0, 0.1))
    for name, parameter in model.named_parameters():
        matrix = parameter.ndim == 2 and min(parameter.shape) >= 64
        torch.testing.assert_close(parameter, known[name] * (0.5 if matrix else 1.0))
        decays = 0.1 if parameter.ndim > 1 else 0.0
        assert rates[name] == ((0.25, 4 * decays) if matrix else (1.0, decays)), name


def rates_of(model: nn.Module, groups: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    found = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    return {name: found[id(parameter)] for name, parameter in model.named_parameters()}


@pytest.mark.parametrize(("kind", "base"), MODELS)
def test_logits_are_divided_by_the_width(kind: Any, base: Any) -> None:
    wide = resized(base, 128)
    model, plain = built(kind, wide), built(kind, wide)
    maximal_update(plain, base)
    maximal_update(model, base, Multipliers(output=3.0))
    bias = getattr(model.get_output_embeddings(), "bias", None)
    offset = 0 if bias is None else bias
    torch.testing.assert_close(model(TOKENS).logits - offset, 3.0 * (plain(TOKENS).logits - offset))


@pytest.mark.parametrize(("kind", "base"), MODELS)
def test_wider_heads_are_compared_by_their_size(kind: Any, base: Any) -> None:
    model = built(kind, resized(base, 128, heads_grow=False))
    before = scales(built(kind, resized(base, 128, heads_grow=False)))
    maximal_update(model, base)
    heads = getattr(base, "num_attention_heads", None) or base.n_head
    size = 32 // heads
    assert scales(model) == pytest.approx([size**0.5 / (4 * size)] * len(before))
    assert before == pytest.approx([(4 * size) ** -0.5] * len(before))


def scales(model: nn.Module) -> list[float]:
    return [m.scaling for m in model.modules() if isinstance(getattr(m, "scaling", None), float)]


@pytest.mark.parametrize(("kind", "base"), MODELS)
@pytest.mark.parametrize("heads_grow", [True, False])
def test_folded_a_model_computes_the_same(
    kind: Any, base: Any, heads_grow: bool, tmp_path: Any
) -> None:
    deeper = 2 if kind is BertForMaskedLM else 4
    model = built(kind, resized(base, 64, deeper, heads_grow=heads_grow))
    scaled = maximal_update(model, base, Multipliers(1.5, 0.8, 3.0, 0.9))
    expected = model(TOKENS).logits
    folded(model, scaled).save_pretrained(tmp_path)
    again = kind.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(again(TOKENS).logits, expected)


def test_a_deeper_model_has_smaller_branches() -> None:
    model = built(GPT2LMHeadModel, resized(GPT2, layers=8))
    scaled = maximal_update(model, GPT2)
    assert scaled.depth == 4
    assert set(scaled.outputs.values()) == {0.25}
    assert len(scaled.outputs) == 16


def test_models_that_normalise_after_a_branch_keep_their_depth() -> None:
    with pytest.raises(TransferError, match="settings of a bert do not transfer to another depth"):
        maximal_update(built(BertForMaskedLM, resized(BERT, layers=4)), BERT)


def test_what_cannot_be_scaled_is_named() -> None:
    other = resized(GPT2, 64)
    other.vocab_size = 60
    with pytest.raises(TransferError, match=r"transformer\.wte\.weight has a side of 60"):
        maximal_update(built(GPT2LMHeadModel, other), GPT2)
    with pytest.raises(TransferError, match="is no whole number at width 40"):
        resized(GPT2, 40)
    with pytest.raises(TransferError, match="states none of hidden_size"):
        resized(SimpleNamespace(to_dict=dict, model_type="unheard-of"), 64)


def test_an_attention_whose_scale_is_fixed_is_refused() -> None:
    base = DebertaV2Config(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=50,
        max_position_embeddings=16,
    )
    model = built(DebertaV2ForMaskedLM, resized(base, 64, heads_grow=False))
    with pytest.raises(TransferError, match=r"DebertaV2|has no attention whose scale"):
        maximal_update(model, base)


class Perceptron(nn.Module):
    """As in mup's own examples; it is built from a config, as transformers' models are."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(8, config.hidden_size)
        self.hidden = nn.Linear(config.hidden_size, config.hidden_size)
        self.out = self.readout(config.hidden_size)

    def readout(self, width: int) -> nn.Module:
        return nn.Linear(width, 3)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.out(torch.relu(self.hidden(torch.relu(self.first(given)))))
        return found


class Described(SimpleNamespace):
    def to_dict(self) -> dict[str, Any]:
        return vars(self)


def test_a_perceptron_has_the_multipliers_of_mup() -> None:
    mup = pytest.importorskip("mup", reason="pip install --no-deps mup")

    class Theirs(Perceptron):
        def readout(self, width: int) -> nn.Module:
            made: nn.Module = mup.MuReadout(width, 3)
            return made

    base, wide = (Described(hidden_size=width, num_hidden_layers=1) for width in (16, 64))
    theirs = Theirs(wide)
    mup.set_base_shapes(
        theirs,
        Theirs(base),
        delta=Theirs(Described(hidden_size=32, num_hidden_layers=1)),
        rescale_params=False,
    )
    ours = Perceptron(wide)
    ours.load_state_dict(theirs.state_dict())
    scaled = maximal_update(ours, base)
    with (
        torch.no_grad()
    ):  # their hidden matrix as it would be drawn, from one deviation at every width
        theirs.hidden.weight.mul_(theirs.hidden.weight.infshape.width_mult() ** -0.5)
    given = torch.randn(5, 8)
    torch.testing.assert_close(ours(given), theirs(given))
    groups = mup.MuAdamW(theirs.parameters(), lr=1.0, weight_decay=0.1).param_groups
    expected = rates_of(theirs, groups)
    found = rates_of(ours, parameter_groups(ours, scaled, 1.0, 0.1))
    assert {n: r for n, (r, _) in found.items()} == {n: r for n, (r, _) in expected.items()}
    matrices = [name for name in found if name.endswith("weight")]
    assert [found[n][1] for n in matrices] == pytest.approx([expected[n][1] for n in matrices])


@pytest.mark.parametrize(("kind", "base"), [(LlamaForCausalLM, LLAMA)])
def test_a_transformer_has_the_rates_of_mup(kind: Any, base: Any) -> None:
    """Where both run: Llama, whose matrices all keep their outputs first."""
    mup = pytest.importorskip("mup", reason="pip install --no-deps mup")
    wide = resized(base, 128)
    theirs, narrow, between = (built(kind, c) for c in (wide, base, resized(base, 64)))
    mup.set_base_shapes(theirs, narrow, delta=between, rescale_params=False, do_assert=False)
    expected = rates_of(theirs, mup.MuAdam(theirs.parameters(), lr=1.0).param_groups)
    ours = built(kind, wide)
    found = rates_of(ours, parameter_groups(ours, maximal_update(ours, base), 1.0))
    assert {n: r for n, (r, _) in found.items()} == {n: r for n, (r, _) in expected.items()}
