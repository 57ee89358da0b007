"""An address and a time go in; people ask, listen and hang up there until it has passed."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from visavis_client import AsyncClient, AsyncReply, Fragment, Problem

QUESTIONS = (
    "Why is the sky blue?",
    "Tell me about the moon.",
    "What is the capital of France?",
    "How do bees make honey?",
)
TEXTS = (
    "The moon is our only natural satellite, and it always shows us the same face. It is far away.",
    "Good morning! Your train leaves from platform four. Please mind the gap, and have a pleasant journey.",
    "你好，很高兴见到你。今天天气很好。",
)
# Nothing in it can be spoken.
WORDLESS = "👍"
PAUSE_SECONDS = (2.0, 12.0)


async def traffic(url: str, seconds: float, people: int = 4) -> None:
    """They come one after the other and leave likewise, so that there is little, much and little to do."""
    dice = random.Random(1)
    stay = seconds / 2
    async with AsyncClient(url) as client, asyncio.TaskGroup() as group:
        for person in range(people):
            comes = person * (seconds - stay) / max(people - 1, 1)
            group.create_task(_person(client, comes, stay, random.Random(dice.random())))


async def _person(client: AsyncClient, comes: float, stays: float, dice: random.Random) -> None:
    await asyncio.sleep(comes)
    try:
        async with asyncio.timeout(stays):
            while True:
                await _one_reply(client, dice)
                await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
    except TimeoutError:
        return


async def _one_reply(client: AsyncClient, dice: random.Random) -> None:
    """Most are heard to the end, some are stopped at the first picture, some texts cannot be spoken."""
    fate = dice.random()
    # Whatever fails shows in the picture.
    with suppress(Problem):
        if fate < 0.08:
            await (await client.reply(say=WORDLESS)).done()
        elif fate < 0.2:
            await _stopped(await client.reply(say=dice.choice(TEXTS)))
        elif fate < 0.6:
            await (await client.reply(say=dice.choice(TEXTS))).done()
        else:
            question = dice.choice(QUESTIONS)
            await (await client.reply(messages=[{"role": "user", "content": question}])).done()


async def _stopped(reply: AsyncReply) -> None:
    async for event in reply:
        if isinstance(event, Fragment):
            await reply.cancel()
