"""Checkpoints in one file: of which family one is, told by the names and shapes of its tensors. Pure."""

from collections.abc import Collection, Iterable, Mapping

from worker.family import Family
from worker.likeness_files import Shapes

BEGINNINGS = {  # how the names of tensors begin, and of which family that is
    "conditioner.embedders.1.": Family.STABLE_DIFFUSION_XL,
    "conditioner.embedders.": "refiner of Stable Diffusion XL, which only finishes pictures",
    "model.diffusion_model.joint_blocks.": Family.STABLE_DIFFUSION_3,
    "joint_blocks.": Family.STABLE_DIFFUSION_3,
    "model.diffusion_model.double_blocks.": Family.FLUX,
    "double_blocks.": Family.FLUX,
    "model.diffusion_model.": Family.STABLE_DIFFUSION,
}
READS = ".attn2.to_k.weight"  # of a layer that looks at the prompt
SECOND = 1024  # width of a prompt of Stable Diffusion 2.x
VELOCITY, TERMINAL = "v_pred", "ztsnr"  # tensors that only say how the network was trained
NOTED = "modelspec.prediction_type"  # https://github.com/Stability-AI/ModelSpec
PREDICTIONS = {"v": "v_prediction", "v_prediction": "v_prediction", "epsilon": "epsilon"}
MEASURED = "edm_mean"  # a tensor of Playground 2.5, whose schedule is another


def kind_of(names: Iterable[str]) -> Family | str | None:
    """Return the family of a file with tensors of these *names*, or what else it is; None: no model."""
    known = tuple(names)
    beginnings = (each for each in BEGINNINGS if any(name.startswith(each) for name in known))
    beginning = next(beginnings, None)
    return None if beginning is None else BEGINNINGS[beginning]


def description_of(family: Family, shapes: Shapes) -> str:
    """Return where on the hub the configuration and the tokenizers of such a file are, as diffusers does.

    The files of one family differ in nothing but their weights; what else they need is there.
    """
    if family is Family.STABLE_DIFFUSION_XL:
        if MEASURED in shapes:
            return "playgroundai/playground-v2.5-1024px-aesthetic"
        return "stabilityai/stable-diffusion-xl-base-1.0"
    widths = {shape[-1] for name, shape in shapes.items() if name.endswith(READS)}
    if SECOND in widths:
        return "stabilityai/stable-diffusion-2-1"
    return "stable-diffusion-v1-5/stable-diffusion-v1-5"


def schedule_of(names: Collection[str], notes: Mapping[str, str]) -> dict[str, str | bool]:
    """Return what a file says of its schedule that its configuration, which many share, may not.

    Args:
        names: Of its tensors.
        notes: The texts in its head.
    """
    told: dict[str, str | bool] = {}
    if VELOCITY in names:
        told["prediction_type"] = PREDICTIONS["v"]
    elif (noted := PREDICTIONS.get(notes.get(NOTED, "").lower())) is not None:
        told["prediction_type"] = noted
    if TERMINAL in names:
        told |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return told
