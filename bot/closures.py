"""Which part of a prompt a refused order was refused for, so that the place can be shown. Pure."""

from collections.abc import Mapping

from bot.texts import Texts
from parser import Closed
from worker.api import ErrorCode, LinksRefused, WorkerError

_CLOSED = {
    ErrorCode.TURBO_OFF: Closed(parameters=frozenset({"turbo"})),
    ErrorCode.IMAGES_UNAVAILABLE: Closed(images=True),
    ErrorCode.STYLE_UNAVAILABLE: Closed(
        choices={"style": ("raw",)},
        reasons={
            "style": "No model here has that style; `--style raw` there is, which leaves the house style out."
        },
    ),
}
_NO_VERSIONS = {
    "version": "The models of this server have no versions; leave `--version` out.",
    "niji": "This server has no model for anime; leave `--niji` out.",
}


def without_adapter(lack: str) -> Mapping[str, str]:
    """Return why persons and things from pictures are closed; *lack* says who has no IP-Adapter."""
    needed = f"needs an IP-Adapter, and {lack}"
    instead = "put the picture in front of the text, as an image prompt, and raise `--iw`."
    pairs = (("cref", "cw"), ("oref", "ow"))
    return {
        name: words
        for first, second in pairs
        for name, words in (
            (first, f"`--{first}` {needed}; {instead}"),
            (second, f"`--{second}` goes with `--{first}`, which {needed}; leave it out."),
        )
    }


def closed_by(error: WorkerError, texts: Texts) -> Closed:
    """Return what is closed as *error* says; nothing where no part of the prompt is the reason."""
    if isinstance(error, LinksRefused):
        links = {link: texts(f"worker.{each.code}", **each.detail) for link, each in error.links.items()}
        return Closed(links=links)
    if error.code is ErrorCode.ADAPTER_UNAVAILABLE:
        served = error.detail.get("served")
        lack = f"the model `{error.detail['model']}` has none" + (f", but `{served}` has" if served else "")
        reasons = without_adapter(lack)
        return Closed(parameters=frozenset(reasons), reasons=reasons)
    if error.code is ErrorCode.ASPECT_UNAVAILABLE:
        return Closed(ranges={"aspect": (str(error.detail["low"]), str(error.detail["high"]))})
    if error.code is ErrorCode.NOT_WITH_MODEL:
        parameter = str(error.detail["parameter"])
        reason = texts(f"worker.{error.code}", **error.detail)
        return Closed(parameters=frozenset({parameter}), reasons={parameter: reason})
    if error.code is not ErrorCode.VERSION_UNAVAILABLE:
        return _CLOSED.get(error.code, Closed())
    versions, niji = (tuple(str(error.detail[each]).split()) for each in ("versions", "niji"))
    return Closed(choices={"version": versions, "niji": niji}, reasons=_NO_VERSIONS)
