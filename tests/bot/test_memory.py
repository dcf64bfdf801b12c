"""What the bot forgets by itself."""

from tests.acceptance.member import Member
from tests.bot.easel import Easel
from tests.bot.studio import Studio, drawn, job_of, settled


async def test_messages_of_jobs_that_are_gone_are_forgotten_and_others_are_not(
    live: Studio, easel: Easel, person: Member
) -> None:
    gone, kept = job_of(await drawn(easel, person, "a fox")), job_of(await drawn(easel, person, "a hen"))
    await settled(live)
    await live.settings.copied(gone, 5, 6)
    assert await live.settings.prune() == 0
    await live.desk.delete(gone)
    assert await live.settings.prune() == 2
    assert await live.settings.post(gone) is None
    assert await live.settings.shown_by(6) is None
    assert await live.settings.post(kept) is not None
