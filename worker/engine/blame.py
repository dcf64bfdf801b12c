"""What an exception out of a network means for the job it hit."""

import structlog
import torch

from worker.api import ErrorCode, WorkerError
from worker.device import DeviceJob, Failed

OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
)  # of torch's CPU allocators

log = structlog.get_logger()


def failure(job: DeviceJob, error: Exception) -> Failed:
    """Return how *job* ends that *error* hit, and log it."""
    code = code_of(error)
    expected = isinstance(error, WorkerError)
    reason = dict(error.detail) if isinstance(error, WorkerError) else {}
    log.error(
        "job_failed", job_id=job.job_id, code=code.value, **reason, exc_info=None if expected else error
    )
    return Failed(job.job_id, job.attempt, code, retryable=code is ErrorCode.ENGINE_FAILED and not expected)


def code_of(error: Exception) -> ErrorCode:
    """Return what *error* is to people."""
    if isinstance(error, WorkerError):
        return error.code
    text = str(error).lower()
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(w in text for w in OUT_OF_MEMORY_WORDS):
        return ErrorCode.OUT_OF_MEMORY
    return ErrorCode.ENGINE_FAILED
