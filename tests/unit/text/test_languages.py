"""Which language a voice should read an utterance in."""

from __future__ import annotations

import pytest

from services.text.languages import language_of
from services.text.utterances import UtteranceSplitter

# Typical of replies, none shorter than 20 letters.
SENTENCES = {
    "de": [
        "Der Mond ist ein Gesteinsball, der um die Erde kreist.",
        "Wasser besteht aus Wasserstoff und Sauerstoff.",
        "Guten Tag, wie kann ich Ihnen heute helfen?",
        "Natürlich helfe ich Ihnen gern weiter.",
        "Das ist wirklich eine sehr gute Frage!",
    ],
    "en": [
        "The moon is a ball of rock that travels around the earth.",
        "She met Herr Schmidt in Berlin last year.",
        "The train to Barcelona leaves at noon.",
        "Leonardo da Vinci painted the Mona Lisa.",
        "Ludwig van Beethoven was a composer.",
        "He ordered spaghetti and a glass of wine.",
        "Volkswagen and Porsche are car makers.",
        "Mozart died in Vienna in 1791.",
    ],
    "es": [
        "La luna es una bola de roca que gira alrededor de la tierra.",
        "El agua está hecha de hidrógeno y oxígeno.",
        "Hola, ¿en qué puedo ayudarte el día de hoy?",
        "Claro que sí, puedo ayudarte con eso.",
        "Es una pregunta muy interesante, gracias.",
    ],
    "fr": [
        "La lune est une boule de roche qui tourne autour de la terre.",
        "L'eau est faite d'hydrogène et d'oxygène.",
        "Bonjour, comment puis-je vous aider aujourd'hui ?",
        "Bien sûr, je peux vous aider avec cela.",
        "C'est vraiment une très bonne question !",
    ],
    "it": [
        "La luna è una palla di roccia che gira intorno alla terra.",
        "L'acqua è fatta di idrogeno e ossigeno.",
        "Ciao, come posso aiutarti quest'oggi?",
        "Certo, posso aiutarti volentieri con questo.",
        "Questa è davvero una bellissima domanda!",
    ],
    "zh": ["月亮是一个围绕地球旋转的岩石球。", "Python 是一种编程语言。", "你好"],
}


@pytest.mark.parametrize(
    ("language", "sentence"), [(language, text) for language, texts in SENTENCES.items() for text in texts]
)
def test_a_sentence_tells_its_language(language: str, sentence: str) -> None:
    assert language_of(sentence) == language


def test_a_few_words_are_in_the_language_so_far() -> None:
    assert [language_of("Ja, genau!", before) for before in ("", "zh", "en", "de")] == [
        "en",
        "en",
        "en",
        "de",
    ]


def test_a_doubtful_sentence_does_not_change_the_language() -> None:
    doubtful = "He ordered spaghetti alla carbonara."
    assert [language_of(doubtful, before) for before in ("en", "de")] == ["en", "de"]


def test_each_utterance_of_a_mixed_reply_gets_its_own() -> None:
    text = (
        "In German one would say it like this. Guten Tag, wie kann ich Ihnen heute helfen? Ach ja, genau so!"
        " 你好，很高兴见到你。 That is how people greet each other."
    )
    splitter = UtteranceSplitter()
    utterances = [*splitter.feed(text), *splitter.finish()]
    assert [utterance.language for utterance in utterances] == ["en", "de", "de", "zh", "en"]
