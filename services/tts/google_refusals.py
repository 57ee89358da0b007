"""What Google's library raises goes in, failures that callers understand come out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from visavis.rpc.failures import Failure, FailureType


@contextmanager
def google_refusals() -> Iterator[None]:
    """What Google's library raises inside leaves as a `Failure`; its own words stay inside."""
    try:
        yield
    except (exceptions.Unauthenticated, exceptions.Forbidden, GoogleAuthError) as error:
        # The house's rule: a bad site key looks like a spent quota to callers.
        raise Failure(
            FailureType.SITE_QUOTA_EXHAUSTED, "This site's speech provider takes no more requests for now."
        ) from error
    except exceptions.ResourceExhausted as error:
        raise Failure(
            FailureType.RATE_LIMITED, "The speech provider is asked too often.", retry_after_seconds=5
        ) from error
    except exceptions.InvalidArgument as error:
        raise Failure(
            FailureType.INVALID_REQUEST, "The speech provider cannot speak this text with this voice."
        ) from error
    except (exceptions.DeadlineExceeded, exceptions.RetryError) as error:
        raise Failure(
            FailureType.UPSTREAM_UNAVAILABLE,
            "The speech provider did not answer in time.",
            retry_after_seconds=2,
        ) from error
    except (exceptions.GoogleAPICallError, ValueError) as error:
        raise Failure(
            FailureType.UPSTREAM_UNAVAILABLE,
            "The speech provider fails at the moment.",
            retry_after_seconds=5,
        ) from error
