"""English."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        # Labels of messages, as Midjourney's
        "label.cell": "Image #{index}",
        "label.variation.strong": "Variations (Strong) by",
        "label.variation.subtle": "Variations (Subtle) by",
        "label.upscale": "Upscaled (Subtle) by",
        "label.upscaling": "Upscaling by",
        "waiting.variation": "Making variations for image #{index} with prompt",
        "waiting.upscale": "Upscaling image #{index} with",
        "progress.waiting": "Waiting to start",
        "progress.paused": "paused",
        "progress.stopped": "Stopped",
        "mode.fast": "fast",
        "mode.relax": "relaxed",
        "mode.turbo": "turbo",
        # The small second line
        "line.next": "next in line",
        "line.place": "{place} in line",
        "line.far": "more than {count} before you",
        "line.soon": "{place} · about {wait}",
        "line.away": "The artist is away: your job is kept and starts when a worker is back.",
        "line.paused": "The queue is paused: your job is kept and starts when it is opened again.",
        "line.model_off": (
            "The model {model} is switched off: your job is kept and starts when it is switched on again."
        ),
        "line.closing": (
            "Discord closes this answer soon. The picture will wait for you: `/show job_id:{job_id}`."
        ),
        "line.result": "Done: {link}",
        "line.model_changed": "Drawn with {model}, not with the model of the original.",
        "line.model_replaced": "Drawn with other weights: {model} was replaced since the original.",
        "wait.seconds": "{n} s",
        "wait.minutes": "{n} min",
        "wait.hours": "{n} h",
        # Buttons
        "button.cancel": "Cancel Job",
        "button.upscale": "Upscale (Subtle)",
        "button.vary_subtle": "Vary (Subtle)",
        "button.vary_strong": "Vary (Strong)",
        "button.fix": "Fix and run",
        "button.relax": "Queue in relax",
        "button.delete": "Delete",
        "button.delete_for_good": "Delete for good",
        "button.keep": "Keep",
        "button.appeal": "Appeal to the moderators",
        "button.approve": "Approve",
        "button.deny": "Deny",
        # Refused prompts
        "prompt.title": "Invalid prompt",
        "prompt.parameter_title": "Invalid parameter",
        "prompt.empty_title": "Empty prompt",
        "prompt.restricted_title": "Job action restricted",
        "prompt.fixed": "**Put right:** `{prompt}`",
        "prompt.more": "… and {n} more.",
        # Refused or failed orders; one title and one text for every code of the worker
        "worker.queue_full.title": "Queue full",
        "worker.queue_full": (
            "You have {waiting} jobs waiting, which is as many as fit. Nothing was queued; your prompt "
            "stands below, so copy it and send it again when one of them has started."
        ),
        "worker.out_of_credit.title": "Credits exhausted",
        "worker.out_of_credit": (
            "**Cost**: {cost} · **Left**: {left} of {allowed} for the last {window} · "
            "**Missing**: {missing}\n"
            "Enough comes back <t:{refill_at}:R>. Nothing was queued; your prompt stands below. Relax costs "
            "nothing and waits behind the others."
        ),
        "worker.out_of_credit.never": (
            "**Cost**: {cost} · **Left**: {left} of {allowed} for a {window} · **Missing**: {missing}\n"
            "That is more than a {window} has. Nothing was queued; your prompt stands below. Relax costs "
            "nothing and waits behind the others."
        ),
        "worker.server_out_of_credit.title": "This server's credits are exhausted",
        "worker.server_out_of_credit": (
            "**Cost**: {cost} · **Left**: {left} of {allowed} that this server's people share for the last "
            "{window} · **Missing**: {missing}\n"
            "Enough comes back <t:{refill_at}:R>. Nothing was queued; your prompt stands below. Relax costs "
            "nothing and waits behind the others."
        ),
        "worker.server_out_of_credit.never": (
            "**Cost**: {cost} · **Left**: {left} of {allowed} that this server's people share for a "
            "{window} · **Missing**: {missing}\n"
            "That is more than a {window} has. Nothing was queued; your prompt stands below. Relax costs "
            "nothing and waits behind the others."
        ),
        "worker.turbo_off.title": "Job action restricted",
        "worker.turbo_off": "Turbo is not open on this server. Use `--fast`, or leave the mode out.",
        "worker.images_unavailable.title": "Invalid prompt",
        "worker.images_unavailable": "Pictures by address are not fetched here. Describe them in words.",
        "worker.link_refused.title": "Invalid link",
        "worker.link_refused": (
            "No pictures are taken from {host}. Upload the picture to Discord and use its link; whoever runs "
            "me can open other places."
        ),
        "worker.link_gone.title": "Invalid link",
        "worker.link_gone": (
            "There is no picture there, or no longer: Discord's links end after a day. Copy a fresh link, or "
            "upload the picture again."
        ),
        "worker.link_timed_out.title": "Invalid link",
        "worker.link_timed_out": (
            "The picture did not arrive within {seconds} s. Try again, or upload it to Discord."
        ),
        "worker.link_unreachable.title": "Invalid link",
        "worker.link_unreachable": (
            "The picture could not be fetched ({error}). Try again, or upload it to Discord and use its link."
        ),
        "worker.link_no_picture.title": "Invalid link",
        "worker.link_no_picture": (
            "What is there is no whole PNG, JPEG, WebP or GIF. Open it in a browser, save the picture "
            "itself, upload it to Discord and use that link."
        ),
        "worker.link_too_large.title": "Invalid link",
        "worker.link_too_large": "The picture is larger than {limit}. Make it smaller and upload it again.",
        "worker.links_too_many.title": "Invalid prompt",
        "worker.links_too_many": "A prompt takes {most} pictures at most. Leave this one out.",
        "worker.size_unavailable.title": "Size not available",
        "worker.size_unavailable": (
            "A picture of that size cannot be made here. "
            "The longest side of an enlarged picture is 4096 pixels."
        ),
        "worker.aspect_unavailable.title": "Shape not available",
        "worker.aspect_unavailable": (
            "The model {model} draws shapes from `--ar {low}` to `--ar {high}`, "
            "and `--ar {asked}` is beyond. Write one between."
        ),
        "worker.source_unfinished.title": "Not finished",
        "worker.source_unfinished": "That job has no pictures yet. Wait until its result is posted.",
        "worker.no_such_picture.title": "Invalid request",
        "worker.no_such_picture": "That job has no picture with this number.",
        "worker.job_not_found.title": "Job not found",
        "worker.job_not_found": "I do not know that job. It may have been deleted. `/show` lists your own.",
        "worker.picture_gone.title": "Picture gone",
        "worker.picture_gone": "The picture is no longer stored, but its prompt can be sent again.",
        "worker.blocked.title": "You cannot order here",
        "worker.blocked": (
            "You were blocked until further notice.{reason} Ask the people who run this server."
        ),
        "worker.timed_out.title": "You cannot order for now",
        "worker.timed_out": (
            "You were given a pause until <t:{until}:f>.{reason} Ask the people who run this server."
        ),
        "worker.queue_draining.title": "Closing for a while",
        "worker.queue_draining": (
            "What is being drawn is finished, and nothing new is taken until the queue is opened again. "
            "Nothing was queued; please try again later."
        ),
        "worker.model_unready.title": "Model not ready",
        "worker.model_unready": (
            "The model {model} is not ready to draw: it is still being fetched, or something is wrong with "
            "its files. Try again in a few minutes; if it stays so, tell the people who run this server."
        ),
        "worker.model_off.title": "Model off",
        "worker.model_off": "The model {model} was switched off. Ask the people who run this server.",
        "worker.style_unavailable.title": "Style not available",
        "worker.style_unavailable": (
            "No model here has the style `{asked}`; describe the look in words, or take `--style raw`."
        ),
        "worker.adapter_unavailable.title": "Not with this model",
        "worker.adapter_unavailable": (
            "The model {model} cannot look at pictures, which `{asked}` needs: it has no IP-Adapter. Put the "
            "picture in front of the text, as an image prompt, and raise `--iw`."
        ),
        "worker.not_with_model.title": "Not with this model",
        "worker.not_with_model": "The model {model} cannot do `--{parameter}`: {reason}. Leave it out.",
        "worker.version_unavailable.title": "Version not available",
        "worker.version_unavailable": (
            "This server has no model for `{asked}`. It has: {served}. Leave it out for the usual one."
        ),
        "worker.database_busy.title": "Busy",
        "worker.database_busy": "The database did not answer in time. Nothing was changed; please try again.",
        "worker.disk_full.title": "Disk full",
        "worker.disk_full": "The disk is full, so the pictures could not be stored. Tell whoever runs me.",
        "worker.model_missing.title": "Model missing",
        "worker.model_missing": "The model that draws is missing or damaged. Tell whoever runs me.",
        "worker.model_changed.title": "Model replaced",
        "worker.model_changed": (
            "The picture is no longer stored, and the model that drew it was replaced, so it cannot be drawn "
            "again. Its prompt can be sent again."
        ),
        "worker.out_of_memory.title": "Sorry! Could not complete the job!",
        "worker.out_of_memory": "There was not enough memory. Try a squarer `--ar` or a lower `--quality`.",
        "worker.engine_failed.title": "Sorry! Could not complete the job!",
        "worker.engine_failed": "Drawing failed. Please try again.",
        "worker.prompt_refused.title": "Not drawn",
        "worker.prompt_refused": "The prompt asks for something that is not drawn here. Nothing was charged.",
        "worker.attempts_exhausted.title": "Sorry! Could not complete the job!",
        "worker.attempts_exhausted": "The worker stopped again and again at this. Please try again.",
        # Not allowed, not possible
        "bot.not_yours.title": "Not yours",
        "bot.not_yours": "Only the person who ordered this job can do that.",
        "bot.not_yours_to_cancel.title": "Not yours",
        "bot.not_yours_to_cancel": "Only the person who ordered this job, or a moderator, can cancel it.",
        "bot.too_late.title": "Already finished",
        "bot.too_late": "The job finished before it could be stopped. Its result stays.",
        "bot.already_failed.title": "Already failed",
        "bot.already_failed": "The job failed before it could be stopped. Its message says why.",
        "bot.already_stopped.title": "Already stopped",
        "bot.already_stopped": "This job is no longer running.",
        "bot.missing_permissions.title": "I cannot post here",
        "bot.missing_permissions": (
            "In this channel I lack {permissions}. Ask a moderator for it, or use me in a direct message."
        ),
        "bot.later.title": "Not available yet",
        "bot.later": "This button is Midjourney's, and it is not available here yet.",
        "bot.foreign.title": "Too old",
        "bot.foreign": "I no longer know what this button did. `/show` posts a job again with fresh buttons.",
        "bot.fix_gone.title": "Too old",
        "bot.fix_gone": "I no longer have the corrected prompt. Please send the command again.",
        "bot.no_job_here.title": "No job here",
        "bot.no_job_here": "That message is not about a job of mine.",
        "bot.moderation_timeout.title": "Timeout",
        "bot.moderation_timeout": (
            "Too many of your prompts here were refused. You can order again <t:{until}:R>; a moderator can "
            "lift this."
        ),
        "bot.withheld.title": "Not shown",
        "bot.withheld": "The picture looks like something that this server does not show.",
        "bot.appeal_gone.title": "Too old",
        "bot.appeal_gone": "I no longer have that prompt. Please send the command again.",
        "bot.appeal_not_yours.title": "Not yours",
        "bot.appeal_not_yours": "Only the person whose prompt was refused can appeal.",
        "bot.appeal_unheard.title": "Nobody there",
        "bot.appeal_unheard": "I cannot reach this server's moderators' channel. Ask a moderator directly.",
        "bot.appeal_sent.title": "Already sent",
        "bot.appeal_sent": "The moderators have your prompt. You will get a direct message.",
        "bot.appeal_decided.title": "Already decided",
        "bot.appeal_decided": "This was decided before.",
        "bot.not_a_manager.title": "Not allowed",
        "bot.not_a_manager": "That takes the permission Manage Server; for strikes Manage Messages will do.",
        "bot.not_a_moderator.title": "For moderators",
        "bot.not_a_moderator": "Only who may manage messages in the moderators' channel can decide that.",
        "bot.unfinished.title": "Still at it",
        "bot.unfinished": "This job is {state}. Its pictures will be posted when they are done.{link}",
        "bot.ended.title": "Nothing to show",
        "bot.ended.cancelled": "This job was stopped before it had pictures.",
        "bot.ended.failed": "This job failed, so it has no pictures. {reason}",
        "bot.no_pictures.title": "Nothing to send",
        "bot.no_pictures": "This job has no pictures.",
        "bot.dm_closed.title": "Cannot send you a message",
        "bot.dm_closed": "Your direct messages are closed to me, so I cannot send the pictures there.",
        "bot.unknown.title": "Sorry, something went wrong",
        "bot.unknown": "That was my mistake, not yours. The code below finds it in the log.",
        "bot.code": "Code {code}",
        # Results that could not be posted where they belong
        "lost.title": "Your picture is ready, but I could not post it",
        "lost.failed_title": "Your job failed, and I could not say so where you ordered it",
        "lost.forbidden": "I lack the permission to post in <#{channel_id}>.",
        "lost.gone": "The channel <#{channel_id}> is gone.",
        "lost.expired": "Discord had closed the answer by then.",
        "lost.refused": "Discord refused the message ({reason}).",
        "lost.show": "It is kept: `/show job_id:{job_id}` brings it.",
        # Cancelling, deleting, direct messages
        "cancel.stopped": "Stopped.",
        "cancel.stopping": "It will stop within a moment.",
        "show.details": "**Job ID**: `{job_id}`\n**Seed**: `{seed}`",
        "delete.ask": "Delete this job and its pictures for good?",
        "delete.done": "Deleted.",
        "delete.kept": "Kept.",
        "dm.details": "**{prompt}**\n**Job ID**: {job_id}\n**seed** {seed}",
        "dm.sent": "Sent you a direct message.",
        "dm.closed_public": "<@{user_id}> I cannot send you a direct message: yours are closed to me.",
        # Moderation
        "moderation.category.hate": "hate",
        "moderation.category.harassment": "harassment",
        "moderation.category.violence": "violence",
        "moderation.category.self_harm": "self-harm",
        "moderation.category.sexual": "sexual content",
        "moderation.category.shocking": "shocking content",
        "moderation.category.illegal": "illegal activity",
        "moderation.category.deception": "deception",
        "moderation.category.political": "politics",
        "moderation.category.health": "health",
        "moderation.refused.title": "Not drawn",
        "moderation.refused.words": "This server does not draw **{category}**; your prompt reads like it.",
        "moderation.refused.meaning": (
            "This server does not draw **{category}**, and the meaning of your prompt comes too near to it."
        ),
        "moderation.refused.appeal": (
            "A word list does not understand what it reads. If it is wrong, say it in other words, or let "
            "the moderators decide: they will see your prompt."
        ),
        "moderation.refused.nowhere": "If that is wrong, say it in other words, or ask a moderator.",
        "moderation.refused.nobody": "If that is wrong, say it in other words.",
        "moderation.refused.final": "This cannot be appealed.",
        "moderation.appeal.title": "A refused prompt",
        "moderation.appeal": (
            "<@{user_id}> appeals a refusal in <#{channel_id}> for **{category}**.\n```\n{prompt}\n```\n"
            "Approving lets this prompt of theirs through once."
        ),
        "moderation.appeal.approved": "**Approved** by <@{user_id}>.",
        "moderation.appeal.denied": "**Denied** by <@{user_id}>.",
        "moderation.appealed": "The moderators have your prompt now. You will get a direct message.",
        "moderation.approved.title": "Approved",
        "moderation.approved": (
            "The moderators let this prompt through, once. Send it again: <#{channel_id}>."
        ),
        "moderation.denied.title": "Denied",
        "moderation.denied": "The moderators agree that your prompt is not for this server.",
        "moderation.withheld.title": "Not shown",
        "moderation.withheld": "The picture looks like something that this server does not show.",
        "moderation.private.title": "Only for you",
        "moderation.private": "The result went to the person who ordered it alone.",
        # Commands
        "command.imagine": "Create images with Journeyman",
        "command.imagine.prompt": "The prompt to imagine",
        "command.show": "Shows the job view based on job id.",
        "command.show.job_id": "The job ID of the job to show",
        "command.info": "View information about your profile.",
        "command.help": "Shows help for the bot.",
        "command.cancel_menu": "Cancel Job",
        "command.dm_menu": "DM Results",
        # /info
        "info.title": "Your info - {name}",
        "info.user": "**User ID**: {user_id}",
        "info.mode": "**Job Mode**: {mode}",
        "info.visibility": "**Visibility Mode**: Public",
        "info.lifetime": "**Lifetime Usage**: {pictures} ({time})",
        "info.lane": "**{mode} Usage**: {pictures} ({time})",
        "info.image": "{n} image",
        "info.images": "{n} images",
        "info.credits.person.day": "**Credits, last 24 hours**: {left} of {allowed} left",
        "info.credits.person.month": "**Credits, last 30 days**: {left} of {allowed} left",
        "info.credits.server.day": "**This server's credits, last 24 hours**: {left} of {allowed} left",
        "info.credits.server.month": "**This server's credits, last 30 days**: {left} of {allowed} left",
        "info.credits.granted": "**Extra Credits**: {granted}",
        "info.queued": "**Queued Jobs ({mode})**: {n}",
        "info.running": "**Running Jobs**: {jobs}",
        "info.none": "None",
        # /help
        "help.title": "Journeyman",
        "help.start": (
            "Type `/imagine prompt:` and say what you want to see. Four pictures come back.\n\n"
            "**U1-U4** take one picture out of the four · **V1-V4** draw four variations of one · "
            "🔄 draws again.\n"
            "**Weights**: in `hot::2 dog` *hot* counts twice as much; `field:: red::-.5` keeps red out.\n"
            "**Parameters** stand at the end: {parameters}. `/help parameter:` explains each.\n"
            "**Reactions** on a result: ✉️ sends you the pictures and the seed, ❌ deletes your own. "
            "On a job under way, ❌ stops it.\n"
            "**Several at once**: `a {{red, green}} bird` and `--repeat 3` ask you first.\n"
            "`/settings` and `/prefer` keep what shall hold for all your prompts. "
            "`/coach` makes a prompt better. `/show` posts one of your jobs again. "
            "`/info` shows what you have under way."
        ),
        "help.aliases": "**Also**: {aliases}",
        "help.not_yet": "Not available here yet.",
        "help.unknown.title": "No such topic",
        "help.unknown": "I have no help on `{topic}`. `/help` alone explains the rest.",
        # Ends of the process
        "stop.bad_token": "Discord does not accept the token. Check DISCORD_TOKEN in the developer portal.",
        "stop.intents": "Discord refuses the intents. This bot needs none of the privileged ones: update it.",
        "stop.courier": "The part that posts results stopped: {reason}",
        "stop.unreachable": "Discord could not be reached at {api}: {reason}",
        "stop.malformed_api": (
            "{api} is no address: JOURNEYMAN_DISCORD_API takes one such as http://127.0.0.1:8420/api/v10."
        ),
        "stop.foreign_api": (
            "{api} is neither this machine nor Discord: the bot will not send its token there."
        ),
    }
)
