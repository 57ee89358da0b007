"""The settings: what they change arrives, what they must not keep is not kept."""

from playwright.async_api import Locator, expect

from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import CONTEXT_TOKENS, REPLY
from tests.web.visit import Visit

KEY = "sk-of-my-own"
CHOICES = {
    "Role": "A pirate.",
    "Language model": "tiny",
    "Your own key": KEY,
    "Temperature": "0",
    "Reply length": "50",
    "Speaking rate": "1.25",
    "Pitch": "-2.5",
    "Presence penalty": "-0.5",
    "Frequency penalty": "1",
    "Stop words": "END\nSTOP",
    "Word bias": "moon = 5\nsun: -100",
}


async def _settings(visitor: Visit) -> Locator:
    await visitor.page.get_by_role("button", name="Settings").click()
    dialog = visitor.page.get_by_role("dialog", name="Settings")
    await dialog.get_by_text("More", exact=True).click()
    return dialog


async def _choose(dialog: Locator, choices: dict[str, str]) -> None:
    for label, value in choices.items():
        await dialog.get_by_label(label, exact=True).fill(value)
    await dialog.get_by_role("button", name="Done").click()


async def test_every_setting_arrives(visitor: Visit, stages: FakeStages) -> None:
    await _choose(await _settings(visitor), CHOICES)
    await visitor.write("Ahoy")
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.becomes("speaking")
    conversation = stages.text.requests[0].conversation
    assert [message.content for message in conversation.messages] == ["A pirate.", "Ahoy"]
    assert (conversation.model, conversation.max_tokens, list(conversation.stop)) == (
        "tiny",
        50,
        ["END", "STOP"],
    )
    assert conversation.HasField("temperature")
    assert (conversation.temperature, conversation.presence_penalty, conversation.frequency_penalty) == (
        0,
        -0.5,
        1,
    )
    assert dict(conversation.logit_bias) == {"moon": 5, "sun": -100}
    spoken = stages.tts.requests[0]
    assert (spoken.speaking_rate, spoken.pitch_semitones) == (1.25, -2.5)


async def test_settings_that_were_not_touched_are_left_to_the_server(
    visitor: Visit, stages: FakeStages
) -> None:
    await visitor.answered("Hello")
    conversation = stages.text.requests[0].conversation
    given = {field.name for field, _ in conversation.ListFields()} - {"messages", "language"}
    assert given == set()


async def test_the_users_own_key_goes_along_and_is_never_stored(visitor: Visit) -> None:
    await _choose(await _settings(visitor), {"Your own key": KEY})
    async with visitor.page.expect_request("**/v1/replies") as request:
        await visitor.write("With my key")
    assert (await (await request.value).all_headers())["x-llm-api-key"] == KEY
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.page.reload()
    assert KEY not in await visitor.page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"
    )
    await expect((await _settings(visitor)).get_by_label("Your own key")).to_have_value("")


async def test_settings_are_kept_and_can_be_reset(visitor: Visit) -> None:
    await _choose(await _settings(visitor), {"Temperature": "0.5", "Word bias": "moon = 5"})
    await visitor.page.reload()
    dialog = await _settings(visitor)
    await expect(dialog.get_by_label("Temperature")).to_have_value("0.5")
    await expect(dialog.get_by_label("Word bias")).to_have_value("moon = 5")
    await dialog.get_by_role("button", name="Reset").click()
    await expect(dialog.get_by_label("Temperature")).to_have_value("")
    await expect(dialog.get_by_label("Word bias")).to_have_value("")
    await expect(dialog.get_by_role("radio", name="Grey")).to_be_checked()


async def test_what_cannot_be_meant_is_refused(visitor: Visit, stages: FakeStages) -> None:
    dialog = await _settings(visitor)
    await _choose(dialog, {"Word bias": "moon rises"})
    await expect(dialog).to_be_visible()
    message = await dialog.get_by_label("Word bias").evaluate("field => field.validationMessage")
    assert message == "Write one word a line, then = and a number from -100 to 100."
    await _choose(dialog, {"Word bias": "moon = 7"})
    await expect(dialog).to_be_hidden()
    await visitor.answered("Go")
    assert dict(stages.text.requests[0].conversation.logit_bias) == {"moon": 7}


async def test_the_models_are_the_servers(visitor: Visit) -> None:
    model = (await _settings(visitor)).get_by_label("Language model")
    await expect(model).to_have_attribute("placeholder", "tiny")
    assert await model.evaluate("field => [...field.list.options].map(({ value }) => value)") == ["tiny"]


async def test_tokens_are_counted_with_the_draft(visitor: Visit) -> None:
    """The fake counts 3 a message, 1 a word and 3 in all."""
    field = visitor.page.get_by_label("Your message")
    await field.fill("one two three")
    await expect(visitor.page.get_by_text(f"9 of {CONTEXT_TOKENS:,} tokens")).to_be_visible()
    await field.fill("")
    await expect(visitor.page.locator("#tokens")).to_be_empty()
    await _choose(await _settings(visitor), {"Role": "A pirate."})
    await expect(visitor.page.locator("#tokens")).to_have_text(f"8 of {CONTEXT_TOKENS:,} tokens")
    await field.fill("word " * CONTEXT_TOKENS)
    await expect(visitor.page.locator("#tokens")).to_have_class("tokens too-many")
