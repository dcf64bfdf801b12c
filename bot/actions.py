"""What a button means, and the `custom_id` that carries it. Pure.

The forms are Midjourney's, so that old habits and client programs
keep working; our own begin with ``JM::``.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from worker.api import JobId

CUSTOM_ID_LIMIT = 100  # characters; Discord rejects longer ones
RELAXED = "JM::relax::"  # before another id: the same in relax


class Verb(StrEnum):
    """What pressing does. The text is the `custom_id` with places for index and subject."""

    UPSAMPLE = "MJ::JOB::upsample::{index}::{subject}"
    REROLL = "MJ::JOB::reroll::0::{subject}::SOLO"
    VARIATION = "MJ::JOB::variation::{index}::{subject}"
    UPSCALE_SUBTLE = "MJ::JOB::upsample_v6r1_2x_subtle::1::{subject}::SOLO"
    VARY_SUBTLE = "MJ::JOB::low_variation::1::{subject}::SOLO"
    VARY_STRONG = "MJ::JOB::high_variation::1::{subject}::SOLO"
    CANCEL = "MJ::CancelJob::ByJobid::{subject}"
    DELETE = "JM::delete::{subject}"
    DELETE_FOR_GOOD = "JM::delete_for_good::{subject}"
    KEEP = "JM::keep::{subject}"
    FIX = "JM::fix::{subject}"
    APPEAL = "JM::appeal::{subject}"
    APPROVE = "JM::approve::{subject}"
    DENY = "JM::deny::{subject}"
    FORGET = "JM::forget_me::{subject}"
    BATCH_YES = "JM::batch::yes::{subject}"
    BATCH_NO = "JM::batch::no::{subject}"
    BATCH_EDIT = "JM::batch::edit::{subject}"


DRAWS = frozenset(
    {
        Verb.UPSAMPLE,
        Verb.REROLL,
        Verb.VARIATION,
        Verb.UPSCALE_SUBTLE,
        Verb.VARY_SUBTLE,
        Verb.VARY_STRONG,
    }
)


OF_BATCHES = frozenset({Verb.BATCH_YES, Verb.BATCH_NO, Verb.BATCH_EDIT})
OF_NO_JOB = frozenset({Verb.FIX, Verb.APPEAL, Verb.APPROVE, Verb.DENY, Verb.FORGET}) | OF_BATCHES


@dataclass(frozen=True, slots=True)
class Action:
    """One press: what, on which picture, of which job.

    Attributes:
        verb: What to do.
        subject: The job's id; for ``FIX`` the id of a corrected prompt, for appeals of a refusal,
            for ``FORGET`` of a person, for `OF_BATCHES` of a batch.
        index: The picture, 1 to 4; 0 where the verb is about the whole.
        relaxed: Whether what is ordered shall wait in relax.
    """

    verb: Verb
    subject: str
    index: int = 0
    relaxed: bool = False

    @property
    def job_id(self) -> JobId:
        """The job that is meant; not for `OF_NO_JOB`."""
        return JobId(self.subject)

    @property
    def custom_id(self) -> str:
        """The text that `read` turns back into this action."""
        before = RELAXED if self.relaxed else ""
        return before + self.verb.value.format(index=self.index, subject=self.subject)


class Unreadable(StrEnum):
    """Why a `custom_id` means nothing here."""

    LATER = "later"  # a button of Midjourney's that is not built
    FOREIGN = "foreign"  # never one of ours, or a form we have given up


_UUID = r"(?P<subject>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
_PATTERNS: tuple[tuple[Verb, re.Pattern[str]], ...] = tuple(
    (verb, re.compile(pattern))
    for verb, pattern in (
        (Verb.UPSAMPLE, rf"MJ::JOB::upsample::(?P<index>[1-4])::{_UUID}(?:::SOLO)?"),
        (Verb.REROLL, rf"MJ::JOB::reroll::0::{_UUID}(?:::SOLO)?"),
        (Verb.VARIATION, rf"MJ::JOB::variation::(?P<index>[1-4])::{_UUID}(?:::SOLO)?"),
        # Clients ask for the upscaler of the version they know; there is one here.
        (Verb.UPSCALE_SUBTLE, rf"MJ::JOB::upsample_v(?:6|6r1|7)_2x_subtle::1::{_UUID}(?:::SOLO)?"),
        (Verb.VARY_SUBTLE, rf"MJ::JOB::low_variation::1::{_UUID}(?:::SOLO)?"),
        (Verb.VARY_STRONG, rf"MJ::JOB::high_variation::1::{_UUID}(?:::SOLO)?"),
        (Verb.CANCEL, rf"MJ::CancelJob::ByJobid::{_UUID}"),
        (Verb.DELETE, rf"JM::delete::{_UUID}"),
        (Verb.DELETE_FOR_GOOD, rf"JM::delete_for_good::{_UUID}"),
        (Verb.KEEP, rf"JM::keep::{_UUID}"),
        (Verb.FIX, r"JM::fix::(?P<subject>[0-9A-Za-z_-]{1,40})"),
        (Verb.APPEAL, r"JM::appeal::(?P<subject>[0-9]{1,20})"),
        (Verb.APPROVE, r"JM::approve::(?P<subject>[0-9]{1,20})"),
        (Verb.DENY, r"JM::deny::(?P<subject>[0-9]{1,20})"),
        (Verb.FORGET, r"JM::forget_me::(?P<subject>[0-9]{1,20})"),
        (Verb.BATCH_YES, r"JM::batch::yes::(?P<subject>[0-9]{1,20})"),
        (Verb.BATCH_NO, r"JM::batch::no::(?P<subject>[0-9]{1,20})"),
        (Verb.BATCH_EDIT, r"JM::batch::edit::(?P<subject>[0-9]{1,20})"),
    )
)


def read(custom_id: str) -> Action | Unreadable:
    """Return what *custom_id* means, or why it means nothing."""
    if custom_id.startswith(RELAXED):
        action = read(custom_id.removeprefix(RELAXED))
        if isinstance(action, Action) and action.verb in DRAWS and not action.relaxed:
            return replace(action, relaxed=True)
        return Unreadable.FOREIGN
    for verb, pattern in _PATTERNS:
        match = pattern.fullmatch(custom_id)
        if match is None:
            continue
        groups = match.groupdict()
        subject = groups["subject"]
        if verb not in OF_NO_JOB:
            subject = str(UUID(subject))
        index = int(groups.get("index") or 0)
        return Action(verb, subject, index)
    return Unreadable.LATER if custom_id.startswith("MJ::") else Unreadable.FOREIGN


def job_named(custom_ids: list[str]) -> JobId | None:
    """Return the job that a message's buttons are about."""
    for custom_id in custom_ids:
        action = read(custom_id)
        if isinstance(action, Action) and action.verb not in OF_NO_JOB:
            return action.job_id
    return None
