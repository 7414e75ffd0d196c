"""A diagonal state space for each channel, as a convolution over the whole text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import EffautoError, attentions

if TYPE_CHECKING:
    from effauto import TaskModel

SHORTEST, LONGEST = 0.001, 0.1  # of a step, as Gu et al. 2022, section 4


class Filter(nn.Module):
    """x'(t) = A x(t) + u(t), y(t) = 2 Re(C x(t)) + D u(t), discretised by zero-order hold.

    A is diagonal, S4D-Lin: A_n = -1/2 + π n i (Gu et al. 2022, equation 9).
    """

    def __init__(self, channels: int, states: int) -> None:
        super().__init__()
        span = math.log(LONGEST) - math.log(SHORTEST)
        self.log_step = nn.Parameter(torch.rand(channels) * span + math.log(SHORTEST))
        self.log_decay = nn.Parameter(torch.full((channels, states), math.log(0.5)))
        self.frequency = nn.Parameter((math.pi * torch.arange(states)).repeat(channels, 1))
        self.readout = nn.Parameter(torch.randn(channels, states, 2) * 0.5**0.5)
        self.through = nn.Parameter(torch.ones(channels))

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, tokens, channels) to the same."""
        tokens = inputs.shape[1]
        signal = inputs.float().transpose(1, 2)
        spectrum = torch.fft.rfft(signal, n=2 * tokens) * torch.fft.rfft(
            self.kernel(tokens), n=2 * tokens
        )
        filtered = torch.fft.irfft(spectrum, n=2 * tokens)[..., :tokens]
        whole: Tensor = filtered + self.through[:, None] * signal
        return whole.transpose(1, 2).to(inputs.dtype)

    def kernel(self, tokens: int) -> Tensor:
        """(channels, tokens): what an impulse leaves behind, step by step."""
        scaled, weights = self.discrete()
        powers = torch.exp(scaled[..., None] * torch.arange(tokens, device=scaled.device))
        return 2.0 * torch.einsum("cn,cnt->ct", weights, powers).real

    def discrete(self) -> tuple[Tensor, Tensor]:
        """Δ A, and C (exp(Δ A) - 1) / A; both (channels, states)."""
        diagonal = torch.complex(-self.log_decay.exp(), self.frequency)
        scaled = diagonal * self.log_step.exp()[:, None]
        weights = torch.view_as_complex(self.readout) * (scaled.exp() - 1.0) / diagonal
        return scaled, weights


class GatedFilter(nn.Module):
    """o(filter(v(x)) · silu(q(x))): stands in for attention, and keeps three of its matrices."""

    def __init__(self, attention: Any, states: int) -> None:
        super().__init__()
        self.q_proj, self.v_proj = attention.q_proj, attention.v_proj
        self.o_proj = attention.o_proj
        self.filter = Filter(attention.v_proj.out_features, states)

    def forward(
        self, hidden_states: Tensor, attention_mask: Any = None, **_: Any
    ) -> tuple[Tensor, None]:
        """Padding stands behind the text, which does not read it."""
        gate = nn.functional.silu(self.q_proj(hidden_states))
        return self.o_proj(self.filter(self.v_proj(hidden_states)) * gate), None


def filter_channels(model: TaskModel, states: int) -> TaskModel:
    """Put filters in the place of attention, in place; EffautoError if they have no place there."""
    replaced = set(map(id, attentions(model)))
    places = [
        (owner, name, child)
        for owner in model.layers.modules()
        for name, child in owner.named_children()
        if id(child) in replaced
    ]
    if not places:
        raise EffautoError(
            f"state-space replaces attention with queries, values and output apart, which "
            f"{type(model.encoder).__name__} has not; leave it out of the recipe"
        )
    for owner, name, child in places:
        setattr(owner, name, GatedFilter(child, states))
    model.config.use_cache = False
    return model
