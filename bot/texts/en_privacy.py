"""English: what people are told about what is held about them."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "command.privacy": "What I hold about you: have it sent, or have it forgotten.",
        "command.privacy.export": "Sends you everything I hold about you, in private.",
        "command.privacy.forget": "Forgets everything about you. You are asked first.",
        "button.forget": "Forget me",
        "privacy.exported": "Here is what I hold about you: {jobs} jobs and {pictures} pictures.",
        "privacy.left_out": (
            "{n} older pictures did not fit into what Discord lets me upload. `/show` brings each of them; "
            "whoever runs me can hand out all of them at once."
        ),
        "privacy.too_large": (
            "What I hold about you is larger than what Discord lets me upload. Ask whoever runs me for it."
        ),
        "privacy.title": "Forget everything about you?",
        "privacy.ask": (
            "**{jobs}** jobs with their prompts and pictures go, and your settings, credits and strikes. "
            "What waits or runs is stopped. I also delete my messages that show your jobs and appeals, where "
            "I can; the buttons of the others stop working. Pictures that others made from yours stay "
            "theirs. A block or timeout lasts until it is over. This cannot be undone; `/privacy export` "
            "sends you everything first."
        ),
        "privacy.forgotten": (
            "Forgotten: {jobs} jobs, and everything else about you but a block or timeout, if you have one."
        ),
        "privacy.later": "What is left of it on the disk is overwritten within the hour.",
        "privacy.unstoppable": (
            "One of your jobs has not stopped yet. Nothing was forgotten; please try again."
        ),
        "privacy.lately": "You were forgotten within the last day. Please come back tomorrow for the rest.",
    }
)
