"""A model's numbers are read from the headers of its files, and its folder's bytes are foretold."""

import pytest
from shapes import LAPTOP, TASK

from effauto.checks.tiny import write_tiny_model
from effauto.cost import estimate
from effauto.model.numbers import counts_by_formula, tokenizer_bytes
from effauto.model.source import find_model
from effauto.workload import Workload


@pytest.fixture
def model(tmp_path):
    write_tiny_model(tmp_path)
    return find_model(str(tmp_path))


def test_vectors_and_rows_are_told_from_matrices(model):
    from effauto.model.transformer import load_pretrained

    layer = load_pretrained(model.files, "text-classification", 2).layers[0]
    shapes = [tuple(tensor.shape) for tensor in layer.parameters()]
    traits = model.traits
    assert traits.layer_vectors == sum(shape[0] for shape in shapes if len(shape) == 1)
    assert traits.layer_rows == sum(shape[0] for shape in shapes if len(shape) == 2)
    assert traits.layer_parameters == sum(tensor.numel() for tensor in layer.parameters())
    assert (traits.attention_width, traits.key_width, traits.gated) == (32, 32, False)
    assert (traits.dropout, traits.attention_dropout) == (0.1, 0.1)


def test_a_berts_numbers_without_its_files(model):
    shape = {"width": 32, "feedforward": 64, "vocabulary": 18, "max_tokens": 64, "layers": 4}
    counts = counts_by_formula(shape)
    traits = model.traits
    assert (counts.layer, counts.vectors, counts.rows) == (
        traits.layer_parameters,
        traits.layer_vectors,
        traits.layer_rows,
    )


def test_a_decoder_has_fewer_keys_and_a_gate(tmp_path):
    from transformers import LlamaConfig, LlamaModel

    config = LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    LlamaModel(config).save_pretrained(tmp_path)
    traits = find_model(str(tmp_path)).traits
    assert (traits.attention_width, traits.key_width, traits.gated) == (32, 16, True)
    assert (traits.dropout, traits.attention_dropout) == (0.0, 0.0)
    work = Workload.untouched(TASK, traits)
    assert (work.inner_matrices, work.cached_widths, work.attention_backward) == (3, 1.0, 2.5)


@pytest.mark.parametrize(("family", "places"), [("Roberta", 56), ("MPNet", 56), ("Bert", 64)])
def test_as_many_word_pieces_are_read_as_there_are_places(tmp_path, family, places):
    """Some families count places from behind that of the padding: of 64 they have 62.

    Batches are padded to a multiple of eight, so 56 word pieces are read.
    """
    import torch
    import transformers

    from effauto.model.transformer import load_pretrained

    config = getattr(transformers, f"{family}Config")(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    model = load_pretrained(tmp_path, "text-classification", 2).eval()
    assert find_model(str(tmp_path)).traits.max_tokens == model.room() == places
    words = torch.full((1, places), 7)
    assert model(words, torch.ones_like(words)).isfinite().all()
    more = torch.full((1, places + 8), 7)
    with pytest.raises((IndexError, RuntimeError)):
        model(more, torch.ones_like(more))


def test_the_folder_is_foretold_to_a_two_hundredth(model, tmp_path):
    from effauto.execution.encoding import Encoding
    from effauto.execution.predictor import Predictor, TorchRuntime
    from effauto.model.transformer import load_pretrained

    loaded = load_pretrained(model.files, TASK.kind, TASK.classes).eval()
    encoding = Encoding.of_folder(model.files, TASK.kind, "joint", loaded.input_names)
    classes = tuple(map(str, range(TASK.classes)))
    folder = tmp_path / "saved"
    folder.mkdir()
    Predictor(TASK.kind, classes, encoding, 64, TorchRuntime(loaded)).save(folder)
    assert (folder / "tokenizer.json").stat().st_size == tokenizer_bytes(model.files)
    size = sum(path.stat().st_size for path in folder.iterdir())
    foretold = estimate(Workload.untouched(TASK, model.traits), LAPTOP)["model.size"]
    assert foretold.value - size < 4500  # what says which recipe it was is not there
    assert foretold.value > size
