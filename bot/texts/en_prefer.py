"""English: what people prefer, and several jobs by one command."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        # Commands
        "command.settings": "View and adjust your personal settings.",
        "command.fast": "Switch to fast mode",
        "command.relax": "Switch to relax mode",
        "command.turbo": "Switch to turbo mode",
        "command.prefer": "What shall hold for all your prompts.",
        "command.prefer.option": "Your own options.",
        "command.prefer.option.set": "Set a custom option.",
        "command.prefer.option.set.option": "Its name; then --name stands for the value",
        "command.prefer.option.set.value": "Text and parameters; leave it out to delete the option",
        "command.prefer.option.list": "View your current custom options.",
        "command.prefer.suffix": "A suffix for every prompt; leave it out to remove it.",
        "command.prefer.suffix.new_value": "Parameters, such as --ar 3:2",
        "command.prefer.auto_dm": "Toggle whether your results are also sent to you directly.",
        # /settings
        "settings.adjust": "Adjust your settings here.",
        "settings.suffix": "Current suffix: `{suffix}`",
        "settings.usual_model": "Use the default model",
        "settings.raw": "RAW Mode",
        "settings.stylize.low": "Stylize low",
        "settings.stylize.med": "Stylize med",
        "settings.stylize.high": "Stylize high",
        "settings.stylize.very_high": "Stylize very high",
        "settings.high": "High Variation Mode",
        "settings.low": "Low Variation Mode",
        "settings.turbo": "Turbo mode",
        "settings.fast": "Fast mode",
        "settings.relax": "Relax mode",
        "settings.reset": "Reset Settings",
        # /fast, /relax, /turbo
        "mode.now.fast": "Done! Your jobs wait in the fast lane and are paid from your credits.",
        "mode.now.relax": (
            "Done! Your jobs need no credits and wait until nobody else needs the machine. Several prompts "
            "in one command are not for this mode."
        ),
        "mode.now.turbo": "Done! Your jobs go before all others and cost twice the credits.",
        # /prefer
        "prefer.suffix.set": (
            "Your suffix is now `{suffix}`. It is appended to every prompt that does not say otherwise."
        ),
        "prefer.suffix.removed": "Your suffix is removed.",
        "prefer.suffix.none": "You have no suffix. `/prefer suffix` with parameters sets one.",
        "prefer.option.set": "`--{name}` now stands for `{value}`.",
        "prefer.option.gone": "`--{name}` is deleted.",
        "prefer.option.none": "You have no custom options. `/prefer option set` makes one.",
        "prefer.option.line": "`--{name}`: `{value}`",
        "prefer.auto_dm.on": "Your results are now sent to you directly too.",
        "prefer.auto_dm.off": "Your results are no longer sent to you directly.",
        "prefer.auto_dm.hello": "Your results will come here too. `/prefer auto_dm` ends it.",
        "bot.fix_not_yours.title": "Not yours",
        "bot.fix_not_yours": "Only the person whose prompt this is can order it.",
        "bot.already_ordered.title": "Already ordered",
        "bot.already_ordered": "This was ordered before. `/show job_id:{job_id}` finds it.",
        "prefer.option.title": "Custom options",
        "bot.turbo_closed.title": "Job action restricted",
        "bot.turbo_closed": "Turbo is not open on this server.",
        "bot.suffix_text.title": "Invalid suffix",
        "bot.suffix_text": "A suffix is made of parameters only, such as `--ar 3:2`; `{text}` is none.",
        "bot.suffix_batch.title": "Invalid suffix",
        "bot.suffix_batch": "A suffix belongs to every prompt and cannot order several: leave `{text}` out.",
        "bot.too_long.title": "Too long",
        "bot.too_long": "That has {length} characters and may have {limit}.",
        "bot.option_name.title": "Invalid name",
        "bot.option_name": (
            "The name of an option begins with a letter and has at most 32 letters, digits, `-` and `_`; "
            "`{name}` is none."
        ),
        "bot.option_taken.title": "Invalid name",
        "bot.option_taken": "`--{name}` is a parameter already. Choose another name.",
        "bot.options_full.title": "Too many options",
        "bot.options_full": "You have {limit} custom options, which is as many as fit. Delete one first.",
        # Several jobs by one command
        "batch.title": "{n} jobs",
        "batch.ask": "This will create **{n}** jobs. Continue?",
        "batch.ask.time": "This will create **{n}** jobs (about {time}). Continue?",
        "batch.cost": "**Cost**: {cost} credits",
        "batch.left": "**Left**: {left} of {allowed} for the last {window}",
        "batch.short": "Credits are left for the first {n} of them; the others would have to wait for more.",
        "batch.queued": "**{n}** jobs are queued.",
        "batch.dropped": "Cancelled. Nothing was queued.",
        "batch.partly": "**{done}** of **{n}** jobs are queued, **{left}** are not.",
        "batch.partly.title": "Not all of them",
        "batch.next": "The next one is `{prompt}`. What is queued is not queued again.",
        "batch.edit.title": "Edit the prompt",
        "batch.edit.prompt": "Prompt",
        "button.yes": "Yes",
        "button.no": "Cancel",
        "button.edit": "Edit",
        "button.go_on": "Queue the rest",
        "bot.batch_relax.title": "Job action restricted",
        "bot.batch_relax": "You can not submit batch jobs in relax mode. `/fast` switches the mode.",
        "bot.batch_too_large.title": "Too many jobs",
        "bot.batch_too_large": "This makes {jobs} jobs, and one command may make {limit}.",
        "bot.batch_gone.title": "Too old",
        "bot.batch_gone": "I no longer have that command. Please send it again.",
        "bot.batch_over.title": "Over",
        "bot.batch_over": "That was answered before. Send the command again if you want more of them.",
        # Where an added part of a prompt came from
        "added.option": "`{text}` is your option `--{option}`.",
        "added.suffix": "`{text}` is from your suffix. `/prefer suffix` changes it.",
        "added.settings": "`{text}` is from your settings. `/settings` changes it.",
        "added.short.option": "**Your option** `--{option}`: `{text}`",
        "added.short.suffix": "**From your suffix**: `{text}`",
        "added.short.settings": "**From your settings**: `{text}`",
        # /info
        "info.suffix": "**Suffix**: `{suffix}`",
        "info.settings": "**Settings**: {settings}",
        "info.options": "**Custom Options**: {options}",
        "info.auto_dm": "**Direct Messages**: On",
    }
)
