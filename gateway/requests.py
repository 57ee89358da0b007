"""A client's JSON goes in, a checked request comes out; what is wrong is said by name, field by field."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from visavis.rpc.failures import Failure, FailureType

from gateway.problems import FieldsRefused, RequestRefused

Output = Literal["text", "speech", "video"]
_BIAS_WORDS = 300


def _words(text: str) -> str:
    if not text.strip():
        raise ValueError("This must hold more than white space.")
    return text


# With a length to measure, pydantic refuses half a surrogate pair: JSON can write it, no stage takes it.
Words = Annotated[str, Field(min_length=1), AfterValidator(_words)]
BiasedWord = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_words)]


class Message(BaseModel):
    """One turn of the conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: Words


class ReplyRequest(BaseModel):
    """What a client asks for. Unset optional fields mean the provider's default; 0 is a value.

    Exactly one of `messages` and `say`, unless speech is uploaded along with it. `outputs` says how far to
    go: each output is made of the one before it, so asking for video makes text and speech too.
    """

    model_config = ConfigDict(extra="forbid")

    messages: list[Message] | None = Field(
        default=None, min_length=1, description="A conversation to answer."
    )
    say: Words | None = Field(default=None, description="A text to speak word for word.")
    model: str = Field(default="", max_length=200, description="As /v1/models lists it; empty: the default.")
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1, le=100_000, description="Of the answer.")
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    stop: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default=[], max_length=4, description="The answer ends before any of these."
    )
    logit_bias: dict[BiasedWord, Annotated[float, Field(ge=-100, le=100)]] = Field(
        default={}, max_length=_BIAS_WORDS, description="Word to bias; it holds for every token of the word."
    )
    language: str = Field(
        default="auto",
        pattern="^(auto|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})$",
        description="To be spoken: a tag such as en, zh or pt-BR; auto finds it utterance by utterance.",
    )
    voice: str = Field(default="", max_length=200, description="As /v1/voices lists it; empty: the default.")
    speaking_rate: float | None = Field(default=None, ge=0.5, le=2, description="1 is the voice's own pace.")
    pitch_semitones: float | None = Field(
        default=None, ge=-12, le=12, description="0 is the voice's own pitch; some voices reach less far."
    )
    avatar: str = Field(
        default="", max_length=200, description="As /v1/avatars lists it; empty: the default."
    )
    network: str = Field(default="", max_length=200, description="As /v1/networks lists it.")
    outputs: list[Output] = Field(default=["text", "speech", "video"], min_length=1, max_length=3)

    @property
    def wants_speech(self) -> bool:
        """Video is made of speech."""
        return "speech" in self.outputs or self.wants_video

    @property
    def wants_video(self) -> bool:
        """The face is asked for."""
        return "video" in self.outputs

    @property
    def character_count(self) -> int:
        """Of everything that is to be read or said."""
        return len(self.say or "") + sum(len(message.content) for message in self.messages or ())

    @model_validator(mode="after")
    def _someone_asks(self) -> Self:
        if self.messages is not None and all(message.role == "system" for message in self.messages):
            raise ValueError("messages must hold at least one user or assistant message")
        return self


class TokensRequest(BaseModel):
    """Messages to count, the draft included; an empty model is the default one."""

    model_config = ConfigDict(extra="forbid")

    messages: list[Message] = Field(min_length=1)
    model: str = Field(default="", max_length=200)


Body = TypeVar("Body", bound=BaseModel)


def parsed(model: type[Body], body: bytes) -> Body:
    """The request in a body.

    Raises:
        RequestRefused: 400, not UTF-8 or not a JSON object.
        FieldsRefused: 422, fields are missing, wrong or unknown.
    """
    try:
        content: Any = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RequestRefused(
            400, "malformed-request", f"The body is not valid UTF-8: byte {error.start} cannot be read."
        ) from None
    except json.JSONDecodeError as error:
        raise RequestRefused(
            400,
            "malformed-request",
            f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
        ) from None
    except ValueError:
        # What Python makes no number of, lest that take for ever.
        raise RequestRefused(
            400, "malformed-request", "The body's JSON holds a number of too many digits."
        ) from None
    except RecursionError:
        raise RequestRefused(400, "malformed-request", "The body's JSON is nested too deeply.") from None
    if not isinstance(content, dict):
        raise RequestRefused(400, "malformed-request", "The body must be a JSON object.")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise FieldsRefused(_errors(error)) from None


def check_sources(request: ReplyRequest, *, uploaded: bool) -> None:
    """Exactly one source of the reply, which can give what is asked for. Raises Failure."""
    sources = [request.messages is not None, request.say is not None, uploaded]
    if sum(sources) != 1:
        raise Failure(
            FailureType.INVALID_REQUEST,
            "Give exactly one of: messages (a conversation to answer), say (a text to speak word for word), "
            "or an uploaded audio part.",
        )
    if uploaded and not request.wants_speech:
        raise Failure(
            FailureType.INVALID_REQUEST,
            "outputs asks for text alone, yet the text of an uploaded audio part is not known.",
        )


def check_lengths(request: ReplyRequest, max_messages: int, max_characters: int, max_say: int) -> None:
    """Bounds on what is read and said. Raises Failure (too-long)."""
    if len(request.messages or ()) > max_messages:
        raise Failure(FailureType.TOO_LONG, f"messages may hold at most {max_messages:,} messages.")
    bound = max_say if request.say is not None else max_characters
    if request.character_count > bound:
        name = "say" if request.say is not None else "messages"
        raise Failure(
            FailureType.TOO_LONG,
            f"{name} holds {request.character_count:,} characters; at most {bound:,} are taken.",
        )


def _errors(error: ValidationError) -> list[dict[str, str]]:
    errors = []
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in found["loc"])
        unknown = found["type"] == "extra_forbidden"
        detail = "This field is not known here." if unknown else found["msg"].removeprefix("Value error, ")
        errors.append({"field": name, "detail": detail})
    return errors
