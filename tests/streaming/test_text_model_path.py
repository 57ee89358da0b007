"""TEXT_MODEL_PATH takes another GGUF: here a llama of a single layer, cut out of the installed model."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import gguf
import pytest
from visavis.rpc.settings import read_settings

from services.text.__main__ import chosen_provider
from services.text.conversation import Conversation, Message, ModelFinished, ModelOpened, Role
from services.text.embedded_provider import installed_model
from services.text.settings import TextSettings

pytestmark = pytest.mark.slow

HELLO = (Message(Role.USER, "Hello?"),)


@pytest.fixture(scope="module")
def one_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It can do everything but make sense."""
    path = tmp_path_factory.mktemp("models") / "one-layer.gguf"
    whole = gguf.GGUFReader(installed_model())
    writer = gguf.GGUFWriter(path, "llama")
    for field in whole.fields.values():
        if field.name != "general.architecture" and not field.name.startswith("GGUF."):
            value = 1 if field.name == "llama.block_count" else field.contents()
            items = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, value, field.types[0], items)
    for tensor in whole.tensors:
        if not tensor.name.startswith("blk.") or tensor.name.startswith("blk.0."):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def no_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_openai")
async def test_another_model_answers_counts_and_is_listed(
    one_layer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXT_MODEL_PATH", str(one_layer))
    provider = chosen_provider(read_settings(TextSettings))
    await provider.prepare()
    try:
        assert [model.id for model in await provider.models()] == ["one-layer"]
        counted = await provider.count_tokens(HELLO, "one-layer")
        async with aclosing(provider.answer(Conversation(HELLO, max_tokens=5))) as answer:
            opened, *_, finished = [part async for part in answer]
    finally:
        await provider.close()
    assert opened == ModelOpened("one-layer", 5)
    assert isinstance(finished, ModelFinished)
    assert finished.usage.prompt_tokens == counted.prompt_tokens
    assert finished.usage.completion_tokens <= 5


@pytest.mark.usefixtures("no_openai")
async def test_a_file_that_is_no_model_stops_the_start_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "letter.gguf"
    wrong.write_text("Dear model")
    monkeypatch.setenv("TEXT_MODEL_PATH", str(wrong))
    provider = chosen_provider(read_settings(TextSettings))
    with pytest.raises(SystemExit, match="TEXT_MODEL_PATH"):
        await provider.prepare()
    await provider.close()
