"""The models a plan can start from: a transformer's folder or hub name, or a bag of words."""

from effauto.model.source import BAG_OF_WORDS, MINILM, ModelSource, find_model

__all__ = ["BAG_OF_WORDS", "MINILM", "ModelSource", "find_model"]
