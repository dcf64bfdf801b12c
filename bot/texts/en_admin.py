"""English, for those who run the bot."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        # What people are told whom an admin keeps from ordering
        "bot.blocked.title": "You cannot order here",
        "bot.blocked": "You were blocked until further notice.{reason}\nAsk {contacts} about it.",
        "bot.timed_out.title": "You cannot order for now",
        "bot.timed_out": (
            "You were given a pause until <t:{until}:f> (<t:{until}:R>).{reason}\nAsk {contacts} about it."
        ),
        "bot.channel_closed.title": "Not in this channel",
        "bot.channel_closed": (
            "Pictures are not made in this channel. Ask {contacts}, or try another channel."
        ),
        "contacts.nobody": "a moderator of this server",
        "contacts.some": "one of {roles}",
        # What admins are refused
        "bot.no_rank.title": "Not allowed",
        "bot.no_rank": (
            "This takes our rank **{rank}**, which you do not have. It is held by people with Discord's "
            "Administrator permission{roles}. `/admin role list` shows who may do what."
        ),
        "bot.not_home.title": "Not from this server",
        "bot.not_home": (
            "This would reach every server I am in, so it is only done from a server named under "
            "`[admin] servers` in the configuration, or on the command line."
        ),
        "bot.above_you.title": "Not allowed",
        "bot.above_you": (
            "That concerns the rank **{rank}**: only somebody above it may do that, and nobody to themselves."
        ),
        "bot.server_only.title": "Only in a server",
        "bot.server_only": "Use this in a server.",
        "bot.others_button.title": "Not your button",
        "bot.others_button": "Somebody else asked for this. Send the command yourself.",
        "bot.not_adult.title": "Not an adult channel",
        "bot.not_adult": (
            "Discord does not mark <#{channel_id}> as age-restricted. Do that first, in the channel's "
            "settings."
        ),
        "bot.not_a_time.title": "Not a length of time",
        "bot.not_a_time": (
            "`{typed}` is no length of time. Say for example `90m`, `12h` or `3d`; at most 400 days."
        ),
        "bot.nothing_said.title": "Nothing to change",
        "bot.nothing_said": "Say what to change: {options}.",
        "admin.job_not_waiting.title": "Not waiting",
        "admin.job_not_waiting": "Only a waiting job can be put first; this one is {state}.",
        "admin.job_not_over.title": "Nothing to repeat",
        "admin.job_not_over": "Only a failed or stopped job can be ordered again; this one is {state}.",
        "admin.retried_before.title": "Ordered again before",
        "admin.retried_before": "That was done already, as job `{job_id}`.",
        "admin.nothing_named.title": "Say what",
        "admin.nothing_named": "Name a job, a person or a lane. `queue clear` cancels everything that waits.",
        "admin.last_model.title": "The last one",
        "admin.last_model": (
            "`{name}` is the only model that is switched on. Without it nothing could be drawn."
        ),
        "admin.unknown_model.title": "Unknown model",
        "admin.unknown_model": "The configuration names no model `{name}`. There is: {known}.",
        "admin.model_is_off.title": "Switched off",
        "admin.model_is_off": "`{name}` is switched off. Enable it first.",
        "admin.touches_changed.title": "It changed meanwhile",
        "admin.touches_changed": "Meanwhile this would stop {touches} jobs.",
        "admin.quota_whose.title": "Of whom?",
        "admin.quota_whose": "Name one: a `person`, a `role` or the `server`.",
        "admin.quota_what.title": "Nothing to change",
        "admin.quota_what": "Say what holds, such as `day` or `unlimited`; or `clear` and nothing else.",
        "admin.quota_server.title": "Not for a server",
        "admin.quota_server": (
            "A server has `day`, `month` or `unlimited`. The rest is said of people and roles."
        ),
        "admin.expired.title": "Too old",
        "admin.expired": "This question was answered before, or is too old. Send the command again.",
        # Buttons
        "admin.button.back": "Back",
        "admin.button.on": "Next",
        "admin.button.again": "Refresh",
        "admin.button.yes": "Yes",
        "admin.button.no": "Cancel",
        # Questions
        "admin.ask.title": "Are you sure?",
        "admin.ask.changed": "Meanwhile something changed. ",
        "admin.ask.queue cancel": "This stops **{touches}** jobs, waiting and running ({target}).",
        "admin.ask.queue clear": (
            "This cancels **{touches}** waiting jobs ({target}). What is being drawn goes on."
        ),
        "admin.ask.user block": (
            "This keeps <@{user_id}> from ordering until further notice and stops their **{touches}** jobs."
        ),
        "admin.ask.quota reset": "This forgets what <@{user_id}> has used of their day and month.",
        "admin.everybody": "everybody's",
        "admin.kept": "Nothing was changed.",
        # Answers
        "admin.done.title": "Done",
        "admin.same": "It was so before; nothing was changed.",
        "admin.done.queue pause": (
            "The queue is paused: orders are taken and wait, what is being drawn is finished."
        ),
        "admin.done.queue resume": "The queue is open.",
        "admin.done.queue drain": (
            "The queue runs empty: what is being drawn is finished, nothing else starts, new orders "
            "are refused."
        ),
        "admin.done.queue promote": "That job is next.",
        "admin.done.queue cancel": "{touched} jobs were stopped. Running ones end after their step.",
        "admin.done.queue retry": (
            "Ordered again as `{job_id}`, at nobody's cost. The result goes where the first was ordered."
        ),
        "admin.done.queue clear": "{touched} waiting jobs were cancelled.",
        "admin.done.quota grant": "They have {granted} credits left beyond every allowance.",
        "admin.done.quota set": "That holds from now on.",
        "admin.done.quota reset": "Their day and month begin anew.",
        "admin.done.user block": "They cannot order any more. {touched} of their jobs were stopped.",
        "admin.done.user unblock": "They can order again.",
        "admin.done.user timeout": "They cannot order until <t:{until}:f>. Their jobs stay.",
        "admin.done.user contact": "Sent them a direct message.",
        "admin.contact.closed": "Their direct messages are closed to me, so nothing was sent.",
        "admin.contact.header": "**A message from those who run {server}**",
        "admin.contact.bot": "this bot",
        "admin.contact.footer": "Answers to this message are not read. Ask the people of that server there.",
        "admin.done.role set": "That holds from now on; `/admin role list` shows all of it.",
        "admin.done.channel allow": "People may order there.",
        "admin.done.channel deny": "People may no longer order there. Jobs that wait stay.",
        "admin.done.channel nsfw": "That holds for the next picture.",
        "admin.done.channel log": "Noted. What is done from now on is posted there.",
        "admin.done.words add": "Added.",
        "admin.done.words remove": "Removed.",
        "admin.done.models enable": "It is switched on.",
        "admin.done.models disable": (
            "It is switched off. {touched} jobs wait for it, and go on waiting until it is switched on."
        ),
        "admin.done.models default": "It is the default from now on.",
        # Lists
        "admin.list.foot": "Page {page} of {pages} · {total} in all",
        "admin.list.none": "Nothing.",
        "admin.title.queue show": "Queue",
        "admin.title.quota show": "Quota",
        "admin.title.user show": "People who may not order",
        "admin.title.user": "One person",
        "admin.title.role list": "Who may do what",
        "admin.title.channel list": "Channels",
        "admin.title.words list": "This server's own words",
        "admin.title.words test": "What the words say",
        "admin.title.models list": "Models",
        "admin.title.status": "Status",
        "admin.title.audit": "Audit log",
        "admin.mode.open": "open",
        "admin.mode.paused": "**paused**: orders wait, nothing starts",
        "admin.mode.draining": "**draining**: nothing starts, orders are refused",
        "admin.queue.head": (
            "The queue is {mode}. Waiting: {waiting}. Running: {running}. People waiting: {people}."
        ),
        "admin.queue.line": "**{state}**{first} · {kind}, {lane} · <@{owner_id}> · <t:{at}:R>{error}\n`{id}`",
        "admin.queue.first": " · **first**",
        "admin.person": (
            "<@{user_id}>: {waiting} waiting, {running} running, {pictures} finished ({minutes:.1f} "
            "device minutes)."
        ),
        "admin.person.free": "May order.",
        "admin.person.block": "**Blocked** since <t:{created_at}:f>.{reason}",
        "admin.person.timeout": "**Timed out** until <t:{until}:f>.{reason}",
        "admin.person.line": "<@{user_id}> · {words}",
        "admin.role.line": "{role}: **{rank}**",
        "admin.role.nobody": "No role holds it.",
        "admin.role.administrators": "Discord's Administrators",
        "admin.role.verbs": "**{rank}** and above\n> {verbs}",
        "admin.role.group": "`{group}` {verbs}",
        "admin.channel.line": "{channel}: {words}",
        "admin.channel.every": "every other channel",
        "admin.channel.open": "open",
        "admin.channel.closed": "closed",
        "admin.channel.usual": "as the others",
        "admin.channel.nsfw": ", adult pictures may be shown",
        "admin.channel.log": "The audit log is posted to <#{channel_id}>.",
        "admin.channel.missed": (
            "\n**Not posted there yet: {n}.** If that lasts: is the channel gone, or closed "
            "to me? They are posted when it is open, or when you choose another."
        ),
        "admin.channel.nolog": "The audit log is posted nowhere.",
        "admin.words.line": "{category}: `{phrase}` · {kind}",
        "admin.words.allow": "allowed",
        "admin.words.refuse": "refused",
        "admin.words.clean": "No list, the shipped one or this server's, finds anything in that.",
        "admin.words.found": "**{category}**: `{matched}`, because of `{phrase}`",
        "admin.models.line": "`{name}`: {state}{default}{flags} · workers that have it: {workers}{waiting}",
        "admin.models.waiting": " · waiting for it: {n}",
        "admin.models.on": "on",
        "admin.models.off": "off",
        "admin.models.default": ", the default",
        "admin.models.one": (
            "People choose with `--version` and `--niji`. What waits for a model that is off waits on."
        ),
        "admin.quota.person": ("<@{user_id}>: {day} today, {month} in 30 days; {left} granted credits left."),
        "admin.quota.use": "{used} of {allowed} credits",
        "admin.quota.unlimited": "{used} credits of any number",
        "admin.quota.places": "{running} jobs at the same time, {waiting} waiting, {batch} by one command.",
        "admin.quota.own": "Said of this very person: {own}.",
        "admin.quota.line": "{subject}: {said}",
        "admin.quota.nothing": "Nothing was said here; the configuration holds.",
        "admin.status.queue": "**Queue:** {mode}. Waiting: {waiting}. Running: {running}.",
        "admin.status.worker": (
            "**{name}** on {device} with `{model}` since <t:{since}:R>\n> {jobs} jobs, {pictures} pictures, "
            "{rate:.1f} steps/s, {batch:.1f} pictures a pass (at most {largest}), {busy:.0%} busy{error}"
        ),
        "admin.status.trouble": "\n> last error `{code}` <t:{at}:R>",
        "admin.status.workers": "**Workers:**",
        "admin.status.nobody": "**No worker runs.** Jobs wait until one does.",
        "admin.status.disk": (
            "**Disk:** {free} free of {total}. Database {database}, pictures {more}{pictures}."
        ),
        "admin.status.more": "more than ",
        "admin.status.failures": "**Last failures:**",
        "admin.status.failure": "`{code}` <t:{at}:R>\n> `{id}`",
        "admin.audit.line": "<t:{at}:f> · {actor} · **{verb}** · {target}{change}",
        "admin.audit.change": "{before} → {after}",
        "admin.audit.cli": "`{name}` on the command line",
        # Commands; a description has at most 100 characters
        "admin.help": "For those who run this bot.",
        "admin.help.queue": "The queue.",
        "admin.help.quota": "Who may use how much.",
        "admin.help.user": "People.",
        "admin.help.role": "Who may do what here.",
        "admin.help.channel": "Where people may order.",
        "admin.help.words": "This server's own words.",
        "admin.help.models": "What draws.",
        "admin.help.queue show": "Show jobs: those under way, or the newest of a state.",
        "admin.help.queue pause": "Take orders but start nothing.",
        "admin.help.queue resume": "Open the queue again.",
        "admin.help.queue drain": "Finish what is being drawn; start nothing, refuse orders.",
        "admin.help.queue promote": "Put a waiting job first.",
        "admin.help.queue cancel": "Stop jobs, waiting and running.",
        "admin.help.queue retry": "Order a failed or stopped job once more.",
        "admin.help.queue clear": "Cancel what waits.",
        "admin.help.quota show": "Show what a person uses, or what was said of people, roles and servers.",
        "admin.help.quota grant": "Give a person credits beyond every allowance, or take back.",
        "admin.help.quota set": "Say how much a person, each holder of a role, or this server may use.",
        "admin.help.quota reset": "Let a person's day and month begin anew.",
        "admin.help.user show": "Show a person, or all who may not order.",
        "admin.help.user block": "Keep a person from ordering, and stop their jobs.",
        "admin.help.user unblock": "Let a person order again.",
        "admin.help.user timeout": "Keep a person from ordering for a while; their jobs stay.",
        "admin.help.user contact": "Send a person a direct message from the bot.",
        "admin.help.role set": "Give a rank to a Discord role or take it, or say which rank a command takes.",
        "admin.help.role list": "Show who may do what.",
        "admin.help.channel allow": "Let people order in a channel.",
        "admin.help.channel deny": "Close a channel to orders.",
        "admin.help.channel nsfw": "Say whether adult pictures may be shown in a channel.",
        "admin.help.channel log": "Post the audit log to a channel, or nowhere.",
        "admin.help.channel list": "Show the rules about channels.",
        "admin.help.words add": "Refuse a phrase, or allow it although a list has it.",
        "admin.help.words remove": "Remove a phrase.",
        "admin.help.words test": "See what the words say about a text.",
        "admin.help.words list": "List this server's own words.",
        "admin.help.models list": "List the models.",
        "admin.help.models enable": "Switch a model on.",
        "admin.help.models disable": "Switch a model off.",
        "admin.help.models default": "Make a model the default.",
        "admin.help.status": "Workers, queue, disk and the last errors.",
        "admin.help.audit": "Who did what.",
        "admin.option.job_id": "A job's id",
        "admin.option.person": "Whose",
        "admin.option.lane": "Which lane",
        "admin.option.state": "Which state; those under way if left out",
        "admin.option.reason": "What the person is told",
        "admin.option.length": "How long, such as 90m, 12h or 3d",
        "admin.option.text": "The text",
        "admin.option.rank": "Our rank",
        "admin.option.role": "A Discord role",
        "admin.option.take": "Take the rank away instead",
        "admin.option.command": "A command under /admin, such as queue clear",
        "admin.option.channel": "Which; this one if left out",
        "admin.option.everywhere": "Every channel without a rule of its own",
        "admin.option.adult": "Whether they may",
        "admin.option.log": "Where; nowhere if left out",
        "admin.option.category": "What it is about",
        "admin.option.phrase": "A word or several",
        "admin.option.allow": "Allow it instead",
        "admin.option.model": "Its name",
        "admin.option.credits": "How many; a negative number takes back",
        "admin.option.day": "Credits in 24 hours",
        "admin.option.month": "Credits in 30 days",
        "admin.option.unlimited": "No allowance holds",
        "admin.option.running": "Jobs drawn at the same time",
        "admin.option.waiting": "Jobs that may wait behind those",
        "admin.option.weight": "Share of a busy device; 1 for everybody else",
        "admin.option.batch": "Jobs that one command may make, as by {{a, b}} and --repeat",
        "admin.option.server": "This server's people together",
        "admin.option.clear": "Say nothing any more",
        "admin.option.verbs": "Which commands",
        "admin.option.concerned": "Who did it, or to whom it was done",
        "admin.option.kind": "Only those",
        "admin.option.whose": "Only what was said of those",
        "admin.option.only_rank": "Only this rank",
    }
)
