"""vocabulary-trim: the texts it was cut to are read exactly as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import run
from saving import predictor_of, saved
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from topics import TOPICS, examples_of
from torch import nn

from effauto import EffautoError

plugin = pytest.importorskip("effauto.bundled.vocabulary_trim", reason="this plugin is not here")
tokens = pytest.importorskip("effauto.bundled.vocabulary_trim.tokens")
table = pytest.importorskip("effauto.bundled.vocabulary_trim.table")
METHOD = plugin.VocabularyTrim()
NONE = {"rest": 0.0}
TEXTS = [" ".join(words) for words in TOPICS] + ["the desert's heat, a leaf; frosty gardens!"]
OTHERS = ["unheard-of words, ünusual ones", "été 3.14"]
MARKS = ["<pad>", "<unk>", "<s>", "</s>"]


def tokenizer_of(kind: str) -> Tokenizer:
    """One that was trained on more than the texts, with marks around them."""
    corpus = TEXTS + OTHERS + ["other words that the texts do not have at all, many more words"]
    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=600, special_tokens=MARKS, initial_alphabet=alphabet, show_progress=False
        )
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=MARKS, unk_token="<unk>", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=250, special_tokens=MARKS, show_progress=False
        )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.Sequence(
        [processors.RobertaProcessing(("</s>", 3), ("<s>", 2))]
        if kind == "bpe"
        else [
            processors.TemplateProcessing(
                single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
            )
        ]
    )
    return tokenizer


@pytest.mark.parametrize("rest", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["wordpiece", "unigram", "bpe"])
def test_texts_are_split_as_before(kind, rest):
    tokenizer = tokenizer_of(kind)
    old = [tokenizer.encode(text) for text in TEXTS]
    kept, cut = tokens.trimmed(tokenizer, {n for e in old for n in e.ids}, rest)
    assert len(kept) == cut.get_vocab_size() < tokenizer.get_vocab_size()
    for text, before in zip(TEXTS, old, strict=True):
        after = cut.encode(text)
        assert after.tokens == before.tokens
        assert [kept[number] for number in after.ids] == before.ids
    unknown = cut.token_to_id("<unk>")
    for text in OTHERS:
        assert cut.encode(text).ids.count(unknown) == tokenizer.encode(text).ids.count(unknown)
    assert cut.token_to_id("<pad>") == 0


def test_more_of_the_rest_keeps_more():
    tokenizer = tokenizer_of("wordpiece")
    sizes = [len(tokens.trimmed(tokenizer, {5}, rest)[0]) for rest in (0.0, 0.3, 0.8)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    "kind", ["text-classification", "pair-classification", "token-classification"]
)
def test_the_model_answers_exactly_as_before(surroundings, kind, tmp_path):
    context = surroundings(examples_of(kind, 12))
    model = context.untouched().eval()
    rows = context.examples.inputs
    expected = answers(model, context, rows)
    model = METHOD.build(model, NONE, context).eval()
    assert (answers(model, context, rows) == expected).all()
    assert model.config.vocab_size == len(model.encoder.get_input_embeddings().weight) < 3000
    loaded = saved(predictor_of(model, context), METHOD, NONE, tmp_path / "model")
    arrays = loaded.encoding.collate(loaded.encoding.encode(rows, 128))
    assert (loaded.runtime.run(arrays) == expected).all()


def answers(model, context, rows):
    encoding = context.encoding(model)
    arrays = encoding.collate(encoding.encode(rows, 128))
    with torch.inference_mode():
        return model(**{name: torch.from_numpy(array) for name, array in arrays.items()}).numpy()


def test_the_pretrained_tokenizer_and_model_are_left_alone(surroundings):
    context = surroundings(examples_of("text-classification", 12))
    METHOD.build(context.untouched(), NONE, context)
    again = context.untouched()
    assert again.tokenizer is None
    assert again.config.vocab_size == 30_522
    assert context.encoding(again).tokenizer.get_vocab_size() == 30_522


def test_the_padding_row_stays_one(surroundings):
    context = surroundings(examples_of("text-classification", 12))
    model = METHOD.build(context.untouched(), NONE, context)
    words = model.encoder.get_input_embeddings()
    assert words.padding_idx == model.config.pad_token_id == context.encoding(model).pad == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        {
            "full-finetune": {"epochs": 6, "learning_rate": 1e-3},
            "layer-drop": {},
            "distillation": {},
        },
        {"head-only": {}, "onnx-runtime": {"quantize": "int8-embeddings"}},
        {"lora": {"epochs": 6, "learning_rate": 2e-2}, "int8-dynamic": {"embeddings": True}},
    ],
    ids=["fewer layers, a teacher", "a frozen body, onnx", "adapters, int8"],
)
def test_whole_recipes(source, tmp_path, others):
    assert run(others | {"vocabulary-trim": NONE}, source, tmp_path, rows=90).right > 0.5


def test_how_many_stay_is_foretold_within_a_factor_of_two(work, surroundings):
    context = surroundings(examples_of("text-classification", 12))
    work = replace(work, examples=12)
    cost = METHOD.cost(work, NONE)
    model = METHOD.build(context.untouched(), NONE, context)
    kept = model.config.vocab_size
    assert kept / 2 < cost.vocabulary < kept * 2
    gone = work.vocabulary - cost.vocabulary
    assert work.embedding_parameters - cost.embedding_parameters == gone * work.width


def test_what_is_kept_is_paid_for(work):
    sizes = [METHOD.cost(work, {"rest": rest}).embedding_parameters for rest in (0.0, 0.3, 0.8)]
    assert sizes == sorted(sizes)
    fewer = METHOD.cost(work.on_share(0.1), NONE)
    assert fewer.embedding_parameters < METHOD.cost(work, NONE).embedding_parameters


def test_other_models_are_refused(model, context):
    assert METHOD.fits(context.task, context.model)
    assert "has none" in METHOD.fits(context.task, replace(context.model, vocabulary=0)).reason
    with pytest.raises(EffautoError, match="a row for each word piece"):
        table.keep_rows(model, [0, 99_999])
    model.encoder.set_input_embeddings(nn.Identity())
    with pytest.raises(EffautoError, match="a row for each word piece"):
        table.keep_rows(model, [0])


def test_numbers_stay_in_order():
    kept, _ = tokens.trimmed(tokenizer_of("bpe"), {300, 301}, 0.0)
    assert np.all(np.diff(kept) > 0)
