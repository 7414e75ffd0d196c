"""A transformer body with a linear head on pooled features: the model that methods act on."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from effauto.errors import ModelError
from effauto.model.shape import paddable, usable_positions
from effauto.traits import PLAIN_TEXT, TaskKind
from effauto.transfer import Parametrisation, folded, joined, released

Pooling = Literal["mean", "last"]
Pairing = Literal["joint", "separate"]
UNBOUNDED = 2**31
# Kinds of tasks in which each token is answered.
EACH_TOKEN = ("token-classification", *PLAIN_TEXT)


class TaskModel(nn.Module):
    """``encoder`` (any transformers body), pooling, and ``head``, one linear layer.

    Logits are (batch, classes), or (batch, tokens, classes) for tagging and language models.
    ``pairing`` says how a pair is read: ``joint``, both texts in one input, or ``separate``, each
    on its own; the head then sees a, b, |a - b| and a · b side by side (Reimers and Gurevych 2019,
    section 3).
    ``tokenizer`` is set by a method that changes the vocabulary; None is the pretrained one's.
    ``scaled`` tells how a model that is trained from scratch was scaled, until it is settled.
    """

    def __init__(
        self,
        encoder: nn.Module,
        kind: TaskKind,
        classes: int,
        *,
        pooling: Pooling = "mean",
        pairing: Pairing = "joint",
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.kind: TaskKind = kind
        self.classes = classes
        self.pooling: Pooling = pooling
        self.pairing: Pairing = pairing
        self.tokenizer: Any = None
        self.scaled: Parametrisation | None = None
        self.head = nn.Linear(self.feature_width, classes)

    @property
    def config(self) -> Any:
        """The encoder's transformers config."""
        return self.encoder.config

    @property
    def feature_width(self) -> int:
        return int(self.config.hidden_size) * (4 if self.pairing == "separate" else 1)

    def room(self, taken: int = 0) -> int:
        """Word pieces that an input may have where ``taken`` of the body's places are not free."""
        places = getattr(self.config, "max_position_embeddings", None) or UNBOUNDED
        return paddable(usable_positions(self.config.to_dict(), int(places)) - taken)

    @property
    def input_names(self) -> tuple[str, ...]:
        """What ``forward`` takes: ``token_type_ids`` only where the body tells two texts apart."""
        parameters = inspect.signature(self.encoder.forward).parameters
        segments = getattr(self.config, "type_vocab_size", 0) > 1
        with_segments = "token_type_ids" in parameters and segments
        return ("input_ids", "attention_mask", *(["token_type_ids"] if with_segments else []))

    def pair_separately(self) -> None:
        """Read the two texts of a pair each on its own; the head starts anew."""
        self.pairing = "separate"
        place = self.head.weight.device
        self.head = nn.Linear(self.feature_width, self.classes).to(place)

    @property
    def grown(self) -> float:
        """How many times wider it is than the size that its settings were found at."""
        return self.scaled.width if self.scaled is not None else 1.0

    def joined(self) -> TaskModel:
        """Let parameters that were added to a scaled model learn, at rates that fit its width.

        Whoever adds a linear layer that reads the width draws it ``grown`` times smaller.
        """
        if self.scaled is not None:
            self.scaled = joined(self, self.scaled)
        return self

    def settle(self, *, written: bool = False) -> TaskModel:
        """Make a trained model plain; ``written`` if its numbers are those of a settled one."""
        if self.scaled is not None:
            if written:
                released(self.scaled)
            else:
                folded(self, self.scaled)
            self.scaled = None
        return self

    @property
    def layers(self) -> nn.ModuleList:
        """The body's blocks, first to last."""
        _, _, blocks = self._blocks()
        return blocks

    def keep_layers(self, kept: Sequence[int]) -> None:
        """Drop all blocks but these, and say so in the config."""
        owner, attribute, blocks = self._blocks()
        left = nn.ModuleList([blocks[index] for index in kept])
        setattr(owner, attribute, left)
        for place, block in enumerate(left):  # a decoder's attention finds its cache by this number
            for part in block.modules():
                if hasattr(part, "layer_idx"):
                    part.layer_idx = place  # type: ignore[assignment]
        self.config.num_hidden_layers = len(kept)
        if getattr(self.config, "layer_types", None):
            self.config.layer_types = [self.config.layer_types[index] for index in kept]

    def _blocks(self) -> tuple[nn.Module, str, nn.ModuleList]:
        depth = self.config.num_hidden_layers
        for owner in self.encoder.modules():
            for attribute, child in owner.named_children():
                if isinstance(child, nn.ModuleList) and len(child) == depth:
                    return owner, attribute, child
        raise ModelError(f"{type(self.encoder).__name__} has no list of {depth} layers")

    def features(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """What the head sees: (batch, feature_width), or (batch, tokens, width) of each token."""
        segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, **segments
        ).last_hidden_state
        if self.kind in EACH_TOKEN:
            return torch.as_tensor(states)
        pooled = self._pool(states, attention_mask)
        if self.pairing == "separate":  # the first half of the batch are the first texts
            pairs = pooled.shape[0] // 2
            a, b = pooled[:pairs], pooled[pairs:]
            pooled = torch.cat([a, b, (a - b).abs(), a * b], dim=-1)
        return pooled

    def _pool(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        if self.pooling == "last":
            last = attention_mask.sum(dim=1) - 1
            return states[torch.arange(len(states), device=states.device), last]
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        features = self.features(input_ids, attention_mask, token_type_ids)
        return torch.as_tensor(self.head(features))


def load_pretrained(folder: Path, kind: TaskKind, classes: int) -> TaskModel:
    """Load the body in ``folder`` with its weights and put a new head on it.

    Raises ModelError if transformers cannot load it.
    """
    from transformers import AutoModel

    try:
        encoder = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    except Exception as error:  # transformers and safetensors raise a dozen kinds
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"transformers cannot load the model in {folder}: {reason}") from error
    return TaskModel(without_pooler(encoder), kind, classes, pooling=_pooling(encoder.config))


def from_config(
    folder: Path, kind: TaskKind, classes: int, pooling: Pooling, pairing: Pairing
) -> TaskModel:
    """Build the model that ``folder``'s config.json describes; its numbers are to be loaded."""
    from transformers import AutoConfig, AutoModel
    from transformers.initialization import no_init_weights

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    with no_init_weights():
        encoder = AutoModel.from_config(config, dtype=torch.float32)
    return TaskModel(without_pooler(encoder), kind, classes, pooling=pooling, pairing=pairing)


def _pooling(config: Any) -> Pooling:
    decodes = getattr(config, "is_decoder", False) or not hasattr(config, "type_vocab_size")
    causal = any("CausalLM" in name or "LMHead" in name for name in config.architectures or ())
    return "last" if decodes and causal else "mean"


def without_pooler(encoder: nn.Module) -> nn.Module:
    """BERT's pooler reads [CLS] alone, was not trained in sentence encoders, and is not used."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None  # type: ignore[assignment]
    return encoder


_HEAD = "effauto_head."


def portable_state(model: TaskModel) -> dict[str, Tensor]:
    """The model's tensors, the body's under the names that transformers' AutoModel loads."""
    state = {}
    for name, tensor in model.state_dict().items():
        place, _, rest = name.partition(".")
        state[rest if place == "encoder" else _HEAD + name] = tensor
    return state


def load_portable_state(model: TaskModel, state: Mapping[str, Tensor]) -> None:
    """Undo :func:`portable_state`; every tensor must find its place."""
    named = {
        name.removeprefix(_HEAD) if name.startswith(_HEAD) else f"encoder.{name}": tensor
        for name, tensor in state.items()
    }
    model.load_state_dict(named, assign=True)


def describe(model: TaskModel) -> dict[str, Any]:
    """What :func:`from_config` needs beside the config, as JSON."""
    return {
        "kind": model.kind,
        "classes": model.classes,
        "pooling": model.pooling,
        "pairing": model.pairing,
        "inputs": list(model.input_names),
    }


def save_config(model: TaskModel, folder: Path) -> None:
    config = json.loads(model.config.to_json_string(use_diff=False))
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
