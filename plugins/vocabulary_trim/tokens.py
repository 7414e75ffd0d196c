"""Which word pieces are needed, and a tokenizer that knows no others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import Context, TaskModel

# What tokenizers put before a piece, to continue a word or for the space before it, or after it.
BEFORE, AFTER = ("##", "▁", "Ġ"), "</w>"


def used(model: TaskModel, context: Context) -> set[int]:
    """The numbers of the word pieces in the training texts, as far as they are read."""
    encoding = context.encoding(model)
    encoded = encoding.encode(context.examples.inputs, context.model.max_tokens)
    return {encoding.pad} | {number for row in encoded for side in row.sides for number in side}


def trimmed(tokenizer: Any, needed: Iterable[int], rest: float) -> tuple[list[int], Tokenizer]:
    """The old numbers that stay, in order, and a tokenizer that gives their places instead.

    Texts of nothing but ``needed`` pieces are split as before; special pieces and single
    characters stay, so that all others can be split too; and of what is left the share ``rest``,
    lowest numbers first, since vocabularies are sorted by frequency. Raises EffautoError for a
    tokenizer that cannot be rebuilt so.
    """
    described = json.loads(tokenizer.to_str())
    model, numbers = described["model"], tokenizer.get_vocab(with_added_tokens=True)
    kept = set(needed) | {token["id"] for token in described["added_tokens"]}
    kept |= {number for piece, number in numbers.items() if _is_basic(piece, model)}
    kept = _with_parts(kept, model, numbers)
    left = sorted(set(numbers.values()) - kept)
    kept = _with_parts(kept | set(left[: round(rest * len(left))]), model, numbers)
    places = {old: new for new, old in enumerate(sorted(kept))}
    _renumber(described, places)
    built = Tokenizer.from_str(json.dumps(described))
    wanted = {piece: places[number] for piece, number in numbers.items() if number in places}
    if built.get_vocab(with_added_tokens=True) != wanted:
        raise EffautoError(
            f"vocabulary-trim cannot rebuild this {model['type']} tokenizer with fewer pieces; "
            "leave it out of the recipe"
        )
    return sorted(kept), built


def _is_basic(piece: str, model: Mapping[str, Any]) -> bool:
    bare = piece.removesuffix(AFTER)
    for mark in BEFORE:
        bare = bare.removeprefix(mark)
    byte = piece.startswith("<0x") and piece.endswith(">")
    return len(bare) <= 1 or byte or piece == model.get("unk_token")


def _with_parts(kept: set[int], model: Mapping[str, Any], numbers: Mapping[str, int]) -> set[int]:
    """These and, where pieces are merged from others, all that they are merged from."""
    parts: dict[str, list[str]] = {}
    for merge in model.get("merges", ()):
        parts.setdefault(_merged(merge, model), []).extend(_pair(merge))
    pieces = {number: piece for piece, number in numbers.items()}
    waiting, found = [pieces[number] for number in kept], set(kept)
    while waiting:
        for part in parts.get(waiting.pop(), ()):
            if numbers[part] not in found:
                found.add(numbers[part])
                waiting.append(part)
    return found


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    first, second = merge.split(" ") if isinstance(merge, str) else merge
    return first, second


def _merged(merge: str | Sequence[str], model: Mapping[str, Any]) -> str:
    first, second = _pair(merge)
    return first + second.removeprefix(model.get("continuing_subword_prefix") or "")


def _renumber(described: dict[str, Any], places: Mapping[int, int]) -> None:
    model = described["model"]
    if isinstance(model["vocab"], list):  # Unigram's: pieces with scores, by number
        model["unk_id"] = places.get(model["unk_id"])
        model["vocab"] = [entry for old, entry in enumerate(model["vocab"]) if old in places]
    else:
        known = {piece: places[old] for piece, old in model["vocab"].items() if old in places}
        model["vocab"] = known
        if "merges" in model:
            merges = [merge for merge in model["merges"] if _merged(merge, model) in known]
            model["merges"] = [merge for merge in merges if known.keys() >= set(_pair(merge))]
    for token in described["added_tokens"]:
        token["id"] = places[token["id"]]
    if described["padding"]:
        described["padding"]["pad_id"] = places[described["padding"]["pad_id"]]
    _renumber_marks(described["post_processor"], places)


def _renumber_marks(processor: Any, places: Mapping[int, int]) -> None:
    """The special pieces that are put around a text, in whichever way they are stated."""
    if not processor:
        return
    for part in processor.get("processors", ()):
        _renumber_marks(part, places)
    for token in dict(processor.get("special_tokens") or {}).values():
        token["ids"] = [places[number] for number in token["ids"]]
    for name in ("sep", "cls"):
        if name in processor:
            piece, number = processor[name]
            processor[name] = [piece, places[number]]
