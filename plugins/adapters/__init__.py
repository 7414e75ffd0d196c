"""Adapters: freeze the weights and learn small bottlenecks that stay between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import BASELINE, Choice, Evidence, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# A layer that computes its activations anew keeps fewer than these widths a token.
FEWEST_UNITS = 9.0
PLACES = {"houlsby": 2, "pfeiffer": 1}
# Operators of an adapter (two products, one activation, one sum) over those of a layer, the
# overhead of which is that of 140 small ones.
CALLS = 4 / 140

HOULSBY = "Houlsby et al. 2019, https://arxiv.org/abs/1902.00751"
DROP = "Rücklé et al. 2021, https://arxiv.org/abs/2010.11918"
CHECKED = "looked up on the paper's page, found by a search; not measured here"


class Adapters(Method):
    name = "adapters"
    summary = "Freeze the weights, learn small bottlenecks between them, which stay."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "reduction": Int(2, 64, default=16, log=True),
        "placement": Choice(("pfeiffer", "houlsby"), default="pfeiffer"),
        "dropped_layers": Int(0, 11, default=0),
        "epochs": Int(1, 10, default=BASELINE.epochs),
        "learning_rate": Float(1e-4, 2e-2, default=2e-3, log=True),
    }
    references = (
        "Houlsby, Giurgiu, Jastrzebski, Morrone, de Laroussilhe, Gesmundo, Attariyan and Gelly "
        "2019, Parameter-Efficient Transfer Learning for NLP, https://arxiv.org/abs/1902.00751",
        "Pfeiffer, Kamath, Rücklé, Cho and Gurevych 2021, AdapterFusion: Non-Destructive Task "
        "Composition for Transfer Learning, https://arxiv.org/abs/2005.00247",
        "Rücklé, Geigle, Glockner, Beck, Pfeiffer, Reimers and Gurevych 2021, AdapterDrop: On the "
        "Efficiency of Adapters in Transformers, https://arxiv.org/abs/2010.11918",
    )
    evidence = (
        Evidence("3.6 % more parameters a task", HOULSBY, "BERT on GLUE", CHECKED),
        Evidence("within 0.4 points of full fine-tuning", HOULSBY, "BERT on GLUE", CHECKED),
        Evidence("a step of training up to 60 % faster", DROP, "transformer encoders", CHECKED),
        Evidence("inference 4 to 6 % slower", DROP, "transformer encoders", CHECKED),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The adapters are weights like others, computed with in training and in serving."""
        layers = max(1.0, work.stored_layers)
        adapted = 1.0 - dropped(round(work.stored_layers), setting["dropped_layers"]) / layers
        places, inner = PLACES[setting["placement"]], inner_width(work.width, setting["reduction"])
        rows = places * (inner + work.width)
        matrices = places * 2 * work.width * inner
        added = matrices + rows
        kept = _frozen_units(work) + places * (1 + 2 * inner / max(1.0, work.width))
        trained = adapted * work.stored_layers * added
        # layers without adapters, which no gradient crosses, count as having their share of them
        uneven = 2 * work.layers * adapted * (1.0 - adapted) * matrices
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            backward_depth=work.backward_depth * adapted,
            weight_gradients=matrices / max(1.0, work.layer_matrices + adapted * matrices),
            activation_units=min(work.activation_units, kept),
            layer_parameters=work.layer_parameters + adapted * added,
            layer_vectors=work.layer_vectors + adapted * rows,
            layer_rows=work.layer_rows + adapted * rows if work.layer_rows else 0.0,
            trainable_parameters=trained + work.head_parameters,
            spared_flops=max(0.0, 2 * (_below(work, places) + work.width * inner) - uneven),
            spared_pair_flops=4 * work.attention_backward * work.attention_width,
            dispatches=work.dispatches * (1.0 + adapted * places * CALLS),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        model.encoder.requires_grad_(False)
        return self.restore(model, setting)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .bottleneck import add_adapters

        # layers that share the weights of another, and so its adapters, have no parameters
        layers = [layer for layer in model.layers if any(True for _ in layer.parameters())]
        inner = inner_width(model.config.hidden_size, setting["reduction"])
        adapted = layers[dropped(len(layers), setting["dropped_layers"]) :]
        return add_adapters(model, adapted, inner, both=setting["placement"] == "houlsby")


def dropped(layers: int, wanted: int) -> int:
    """How many of the lowest layers have no adapter; the last one always has."""
    return max(0, min(wanted, layers - 1))


def _below(work: Workload, places: int) -> float:
    """Numbers of the matrices below the first adapter of a layer: no gradient crosses the first."""
    if places == 1:
        return work.layer_matrices
    return work.projections + work.width * work.attention_width


def inner_width(width: float, reduction: int) -> int:
    """The inner width of an adapter."""
    return max(1, int(width) // reduction)


def _frozen_units(work: Workload) -> float:
    """Widths a token that are kept without what only gradients of weights need."""
    context = 1.0 if work.pair_numbers else 0.0  # kept by kernels that make the scores anew
    spared = 2.0 + context + work.feedforward / max(1.0, work.width)
    return max(min(work.activation_units, FEWEST_UNITS), work.activation_units - spared)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Adapters()
