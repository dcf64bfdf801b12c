"""Appeals: from the button under a refusal to the moderators, and back to the person."""

from collections.abc import Callable
from hashlib import blake2b

import structlog

from bot import payload
from bot.actions import Action, Verb
from bot.answers import Interaction, caller_of, defer, privately, texts_for, texts_of, told
from bot.authority import Authority
from bot.faults import BotCode, BotError
from bot.moderation import letters
from bot.moderation.gate import Moderation
from bot.moderation.records import Refusal, RefusalState
from bot.outlet import FAILURES, Outlet, Trouble, trouble
from bot.render import Letter
from worker.deeds import Watch

log = structlog.get_logger()


class Appeals:
    """Does what the buttons of refusals say. Every step may be pressed, or die, twice."""

    def __init__(
        self,
        moderation: Moderation,
        *,
        authority: Authority | None,
        outlet: Outlet,
        clock: Callable[[], float],
    ) -> None:
        """Without *authority* there are no ranks, and Discord's permission makes a moderator."""
        self._authority = authority
        self._moderation = moderation
        self._records = moderation.records
        self._outlet = outlet
        self._clock = clock

    async def press(self, interaction: Interaction, action: Action) -> None:
        """Appeal, approve or deny.

        Raises:
            BotError: It cannot be done, or not by them.
        """
        refusal = await self._records.refusal(action.subject)
        if refusal is None:
            raise BotError(BotCode.APPEAL_GONE)
        if action.verb is Verb.APPEAL:
            await self._appeal(interaction, refusal)
        else:
            await self._decide(interaction, refusal, approve=action.verb is Verb.APPROVE)

    async def _appeal(self, interaction: Interaction, refusal: Refusal) -> None:
        if interaction.user.id != refusal.user_id:
            raise BotError(BotCode.APPEAL_NOT_YOURS)
        if refusal.decided_by is not None or refusal.state is RefusalState.FINAL:
            raise BotError(BotCode.APPEAL_DECIDED)
        await self._must_be_unsent(refusal)
        rules = await self._moderation.rules(refusal.guild_id)
        channel_id = rules.moderators_channel_id
        if channel_id is None:
            raise BotError(BotCode.APPEAL_UNHEARD)
        await defer(interaction, thinking=True, private=True)
        await self._records.appeal(refusal.id, channel_id)
        await self._post(refusal, channel_id)
        letter = Letter(texts_of(interaction)("moderation.appealed"))
        with told():
            await interaction.edit_original_response(**payload.to_edit(letter))

    async def _must_be_unsent(self, refusal: Refusal) -> None:
        """Let an appeal pass that is not before the moderators, or whose message there somebody deleted.

        Raises:
            BotError: ``APPEAL_SENT``.
        """
        channel_id, message_id = refusal.appeal_channel_id, refusal.appeal_message_id
        if channel_id is None or message_id is None:
            return
        if await self._outlet.holds(channel_id, message_id):
            raise BotError(BotCode.APPEAL_SENT)
        await self._records.lost(refusal.id, message_id)

    async def _post(self, refusal: Refusal, channel_id: int) -> None:
        """Post the appeal; the same again within minutes posts nothing.

        Raises:
            BotError: ``APPEAL_UNHEARD``: the channel is gone, or closed to us.
        """
        letter = letters.before_moderators(refusal, texts_for("en-US"))
        seed = f"{refusal.id}:appeal:{refusal.appeal_message_id}"  # of a message that was deleted, if any
        nonce = blake2b(seed.encode(), digest_size=12).hexdigest()
        try:
            message_id = await self._outlet.announce(channel_id, letter, nonce=nonce)
        except FAILURES as error:
            if trouble(error) is not Trouble.TRANSIENT:
                await self._records.withdraw(refusal.id)
            log.warning("appeal not posted", action="appeal_unheard", refusal=refusal.id, error=repr(error))
            raise BotError(BotCode.APPEAL_UNHEARD) from error
        await self._records.posted(refusal.id, message_id)

    async def _decide(self, interaction: Interaction, refusal: Refusal, *, approve: bool) -> None:
        here = (
            interaction.guild_id == refusal.guild_id and interaction.channel_id == refusal.appeal_channel_id
        )
        if not here or not caller_of(interaction).moderator:
            raise BotError(BotCode.NOT_A_MODERATOR)
        await defer(interaction)
        if self._authority is not None:
            await self._authority.demand(interaction, Watch.FORGIVE)
        by = interaction.user.id
        won = await self._records.decide(refusal.id, by, self._clock(), approve=approve)
        decided = await self._records.refusal(refusal.id) or refusal
        letter = letters.before_moderators(decided, texts_for("en-US"))
        with told():
            await interaction.edit_original_response(**payload.to_edit(letter))
        if won:
            log.info("appeal decided", action="appeal_decided", refusal=refusal.id, approved=approve)
            await self._tell(decided)
        else:
            with told():
                other = Letter(texts_of(interaction)("bot.appeal_decided"))
                await privately(interaction, other)

    async def _tell(self, refusal: Refusal) -> None:
        """Tell the person by a direct message; one who takes none finds out by trying again."""
        letter = letters.decision(refusal, texts_for(refusal.locale))
        try:
            await self._outlet.direct(refusal.user_id, letter)
        except FAILURES as error:
            log.info("decision not told", action="appeal_untold", refusal=refusal.id, error=repr(error))
            if trouble(error) is Trouble.TRANSIENT:
                return
        await self._records.told(refusal.id)

    async def resume(self) -> None:
        """Tell the decisions that an earlier life could not."""
        for refusal in await self._records.untold():
            await self._tell(refusal)
