"""English: the words of `/moderation`."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "moderation.help": "What this server does not draw or show.",
        "moderation.help.show": "Show the rules of this server.",
        "moderation.help.category": "Say what a category leads to.",
        "moderation.help.pictures": "Say what becomes of pictures that look adult.",
        "moderation.help.appeals": "Choose the channel where appeals are posted; without one there are none.",
        "moderation.help.strikes": "Show a person's strikes.",
        "moderation.help.forgive": "Take back a person's strikes, and with them a timeout.",
        "moderation.option.category": "What a prompt is about",
        "moderation.option.outcome": "What happens then",
        "moderation.option.adult": "What happens in adult channels; only for sexual and shocking",
        "moderation.option.threshold": "The score from which a picture looks adult, 0 to 1",
        "moderation.option.channel": "The moderators' channel",
        "moderation.option.person": "Who",
        "moderation.outcome.allow": "allow",
        "moderation.outcome.spoiler": "cover the picture",
        "moderation.outcome.private": "show it to the person alone",
        "moderation.outcome.refuse": "refuse",
        "moderation.outcome.refuse_and_strike": "refuse, with a strike",
        "moderation.outcome.default": "as the operator says",
        "moderation.rules.title": "What this server draws",
        "moderation.rules.line": "**{category}**: {outcome}",
        "moderation.rules.adult": "**{category}**: {outcome}; in adult channels: {adult}",
        "moderation.rules.pictures": "**Pictures that look adult** (from {threshold:.2f}): {outcome}",
        "moderation.rules.appeals": "**Appeals** go to <#{channel_id}>.",
        "moderation.rules.no_appeals": "**Appeals**: none; no channel is set.",
        "moderation.strikes.title": "Strikes",
        "moderation.strikes.none": "<@{user_id}> has no strikes here.",
        "moderation.strikes.line": "<t:{at}:d> {category}",
        "moderation.strikes.forgiven": "~~<t:{at}:d> {category}~~ forgiven by <@{by}>",
        "moderation.strikes.until": "Their timeout ends <t:{until}:R>.",
        "moderation.forgiven.title": "Forgiven",
        "moderation.forgiven": (
            "<@{user_id}> had {n} strikes that counted. They no longer do, and no timeout follows from them."
        ),
    }
)
