"""An error as OpenAI, or a server like it, says it goes in; the `Failure` that its caller is told comes out.

Upstream's own words may quote the caller or name the site's key: they stay here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from visavis.rpc.failures import Failure, FailureType

# What an error event in the middle of a stream means in terms of HTTP.
_STATUS_OF_CODE = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
}
# OpenAI's code, llama.cpp's type, and what servers without either write.
_TOO_LONG_NAMES = ("context_length_exceeded", "exceed_context_size_error")
_TOO_LONG_WORDS = ("maximum context length", "context size")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The fields of https://platform.openai.com/docs/guides/error-codes. `status` None: in mid-stream."""

    status: int | None
    code: str
    type: str = ""
    param: str = ""
    message: str = field(default="", repr=False)
    retry_after_seconds: float | None = None


def failure_for(refusal: Refusal, *, callers_key: bool) -> Failure:
    """What the caller is told, who came with a key of their own or uses the site's."""
    status = refusal.status or _STATUS_OF_CODE.get(refusal.code, 500)
    if _is_too_long(refusal, status):
        return Failure(
            FailureType.CONTEXT_LENGTH_EXCEEDED,
            "The conversation is longer than the language model can hold: leave out older messages.",
        )
    if status in (401, 403):
        return bad_callers_key() if callers_key else _site_quota_exhausted()
    if status == 429:
        if refusal.code == "insufficient_quota" and not callers_key:
            return _site_quota_exhausted()
        return Failure(
            FailureType.RATE_LIMITED,
            "The language model takes no more requests right now. Try again later.",
            retry_after_seconds=refusal.retry_after_seconds,
        )
    if status == 404:
        return Failure(FailureType.UNKNOWN_MODEL, "The language model's server knows no such model.")
    if refusal.code in ("unsupported_value", "unsupported_parameter"):
        return Failure(
            FailureType.UNSUPPORTED_SETTING,
            f"The language model does not take this {refusal.param or 'setting'}.",
        )
    if 400 <= status < 500:
        return Failure(
            FailureType.INVALID_REQUEST,
            "The language model's server refused the conversation: it may want the user's messages and the"
            " assistant's in turn, the user's last.",
        )
    return unavailable("The language model's server failed. Try again.")


def unavailable(detail: str) -> Failure:
    """The server is at fault, and may be well again in a moment."""
    return Failure(FailureType.UPSTREAM_UNAVAILABLE, detail, retry_after_seconds=1)


def bad_callers_key() -> Failure:
    """The key that came with the request is none."""
    return Failure(
        FailureType.CALLER_KEY_INVALID, "The language model refused your API key: check it, or leave it out."
    )


def _is_too_long(refusal: Refusal, status: int) -> bool:
    if refusal.code in _TOO_LONG_NAMES or refusal.type in _TOO_LONG_NAMES:
        return True
    return status == 400 and any(words in refusal.message for words in _TOO_LONG_WORDS)


def _site_quota_exhausted() -> Failure:
    # Also stands for a site key that does not work: callers need not know which.
    return Failure(
        FailureType.SITE_QUOTA_EXHAUSTED,
        "This site's own access to the language model is used up: use your own API key, or come back later.",
    )
