"""The way into the queue: past moderation, whoever asks and however many jobs it is about."""

from bot.moderation.gate import Moderation
from bot.origin import Origin
from worker.api import Job, JobDesk, Membership, Order, WorkerError


class Intake:
    """Hands orders in."""

    def __init__(self, desk: JobDesk, moderation: Moderation | None) -> None:
        self._desk = desk
        self._moderation = moderation

    async def hand_in(
        self,
        order: Order,
        origin: Origin,
        *,
        owner_id: int,
        membership: Membership,
        batch: str | None = None,
    ) -> tuple[Job, Origin]:
        """Queue *order* under the key of *origin*, and return its job and where that came from in the end.

        Raises:
            PromptRefused: Moderation did; nothing was queued.
            BotError: Its person has a timeout.
            WorkerError: The queue did.
        """
        if self._moderation is not None:
            origin = await self._moderation.examine(order, origin, owner_id)
        try:
            job = await self._desk.submit(
                order,
                owner_id=owner_id,
                key=origin.job_key,
                origin=origin.text,
                membership=membership,
                batch=batch,
            )
        except WorkerError:
            if self._moderation is not None and origin.pardon is not None:
                await self._moderation.abandoned(origin)
            raise
        return job, origin
