"""What admins type to say how much somebody may use, as a deed: in Discord and on the command line alike."""

from worker.accounts import Allowance, Budget, Whose
from worker.admin import AdminCode, AdminError
from worker.deeds import SetQuota

FOR_PEOPLE = frozenset(Allowance.model_fields) - frozenset(Budget.model_fields)  # what no server has


def allotted(
    said: Allowance, *, person: int | None, role: int | None, server: int | None, clear: bool
) -> SetQuota:
    """Return the deed that lets *said* hold for the one who is named, or with *clear* nothing any more.

    Raises:
        AdminError: ``QUOTA_WHOSE``, ``QUOTA_WHAT`` or ``QUOTA_SERVER``.
    """
    named = {
        whose: subject
        for whose, subject in ((Whose.PERSON, person), (Whose.ROLE, role), (Whose.SERVER, server))
        if subject is not None
    }
    if len(named) != 1:
        raise AdminError(AdminCode.QUOTA_WHOSE)
    if (said == Allowance()) is not clear:
        raise AdminError(AdminCode.QUOTA_WHAT)
    [(whose, subject)] = named.items()
    if whose is Whose.SERVER and said.model_dump(exclude_defaults=True).keys() & FOR_PEOPLE:
        raise AdminError(AdminCode.QUOTA_SERVER)
    return SetQuota(whose=whose, subject=subject, allowance=None if clear else said)
