"""A text, a question or recorded speech goes in, a video of a speaking face comes out: say, ask, animate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from visavis_client.client import AsyncClient, AsyncReply
from visavis_client.command.options import (
    Avatar,
    Force,
    Language,
    Network,
    Output,
    PitchSemitones,
    Server,
    SpeakingRate,
    Voice,
    check_output,
    text_of,
)
from visavis_client.command.record import record
from visavis_client.request import Message, ReplyOptions


def say(
    *,
    output: Output,
    text: Annotated[str | None, typer.Argument(help="What to say; - reads it from stdin.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="What to say, as UTF-8 text.")] = None,
    voice: Voice = None,
    language: Language = None,
    avatar: Avatar = None,
    network: Network = None,
    speaking_rate: SpeakingRate = None,
    pitch: PitchSemitones = None,
    force: Force = False,
    server: Server = None,
) -> None:
    """Speak a text word for word: visavis say "Hello there" -o hello.mp4"""
    check_output(output, force=force)
    spoken = text_of(text, file)
    options = reply_options(
        voice=voice,
        language=language,
        avatar=avatar,
        network=network,
        speaking_rate=speaking_rate,
        pitch_semitones=pitch,
    )

    async def request(client: AsyncClient) -> AsyncReply:
        return await client.reply(say=spoken, **options)

    record(server, request, output)


def ask(
    *,
    output: Output,
    question: Annotated[str | None, typer.Argument(help="What to ask; - reads it from stdin.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="What to ask, as UTF-8 text.")] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="How the model should answer.")] = None,
    model: Annotated[str | None, typer.Option(metavar="ID", help="The language model that answers.")] = None,
    voice: Voice = None,
    language: Language = None,
    avatar: Avatar = None,
    network: Network = None,
    speaking_rate: SpeakingRate = None,
    pitch: PitchSemitones = None,
    force: Force = False,
    server: Server = None,
) -> None:
    """Answer a question; its text is typed out: visavis ask "Tell me about the moon." -o moon.mp4"""
    check_output(output, force=force)
    messages: list[Message] = [{"role": "user", "content": text_of(question, file)}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    options = reply_options(
        voice=voice,
        language=language,
        avatar=avatar,
        network=network,
        speaking_rate=speaking_rate,
        pitch_semitones=pitch,
    )
    if model is not None:
        options["model"] = model

    async def request(client: AsyncClient) -> AsyncReply:
        return await client.reply(messages=messages, **options)

    record(server, request, output, typed_out=True)


def animate(
    *,
    speech: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="A sound file: any common rate, mono or stereo."
        ),
    ],
    output: Output,
    avatar: Avatar = None,
    network: Network = None,
    force: Force = False,
    server: Server = None,
) -> None:
    """Move a face to speech that is already there: visavis animate speech.wav -o out.mp4"""
    check_output(output, force=force)
    options = reply_options(avatar=avatar, network=network)

    async def request(client: AsyncClient) -> AsyncReply:
        return await client.reply(audio=speech, **options)

    record(server, request, output)


def reply_options(
    *,
    voice: str | None = None,
    language: str | None = None,
    avatar: str | None = None,
    network: str | None = None,
    speaking_rate: float | None = None,
    pitch_semitones: float | None = None,
) -> ReplyOptions:
    """Only what was typed: the rest is the gateway's choice."""
    options: ReplyOptions = {}
    if voice is not None:
        options["voice"] = voice
    if language is not None:
        options["language"] = language
    if avatar is not None:
        options["avatar"] = avatar
    if network is not None:
        options["network"] = network
    if speaking_rate is not None:
        options["speaking_rate"] = speaking_rate
    if pitch_semitones is not None:
        options["pitch_semitones"] = pitch_semitones
    return options
