"""A correction keeps all that was typed rightly, or the messages name what goes."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from parser import PromptErrors, read_batch
from tests.parser.tables import EVERYTHING

RIGHT = {
    "aspect": ("--ar 3:2", [3, 2]),
    "chaos": ("--c 10", 10),
    "weird": ("--weird 5", 5),
    "quality": ("--q 2", 2.0),
    "tile": ("--tile", True),
    "version": ("--v 6", 6),
    "sameseed": ("--sameseed 4", 4),
}
WRONG = (
    *("--choas 4", "--ar 16:9:2", "--ar16:9", "--ar wide", "--ar", "--s fifty", "--q 0,5", "--q= 2"),
    *("--c = 4", "| -v 6"),
    *("--xyzzy 4", "--v 6.1.2", "--niji 9", "--tile 1", "--tile off", "--video 1", "--wallpaper", "--h 512"),
    *("--w 640 --h 480", "--width 640 --height 480", "--fast --relax", "--sw 50", "--no", "--no hat::2"),
    *("--raw --style cute", "--beta, --old", "--motion high", "--sref 1,2", "--seed soon", "--stylise 3"),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(RIGHT)), max_size=4, unique=True),
    st.lists(st.sampled_from(WRONG), min_size=1, max_size=2, unique=True),
    st.randoms(use_true_random=False),
)
@example(["aspect"], ["--ar16:9"], None)
@example(["version"], ["--niji 9"], None)
@example(["weird"], ["--h 512"], None)
@example(["aspect"], ["--wallpaper"], None)
def test_a_correction_keeps_what_is_right(right: list[str], wrong: list[str], random: object) -> None:
    typed = [*wrong, *(RIGHT[name][0] for name in right)]
    if random is not None:
        random.shuffle(typed)  # type: ignore[attr-defined]
    prompt = f"a red fox, ink {' '.join(typed)}"
    try:
        read_batch(prompt, table=EVERYTHING)
    except PromptErrors as refused:
        suggestion = refused.errors[0].suggestion
        said = " ".join(error.message for error in refused.errors)
    else:
        return
    if suggestion is None:
        return
    [corrected] = read_batch(suggestion, table=EVERYTHING).prompts
    assert corrected.text.startswith("a red fox, ink")
    kept = corrected.typed()
    for name in right:
        assert kept.get(name) == RIGHT[name][1] or f"`--{name}`" in said, (prompt, suggestion)
