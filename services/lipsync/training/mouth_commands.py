"""Sub-commands `corpus`, `mouth`, `evaluate` and others in; speech, the network and its report out."""

import argparse
from dataclasses import replace
from pathlib import Path

# Every step imports what it needs when it runs: only `mouth` needs torch, only `corpus` needs the engines.

NETWORK = Path(__file__).parents[1] / "models" / "networks" / "visavis-mouth"
_CORPUS = "speech.npz"
_HELD_OUT = "held-out.npz"
_CORPUS_SEED, _HELD_OUT_SEED, _EXAMPLES_SEED = 1, 2, 3
# Networks which are trained one after the other and speak as one, half of them through other throats.
_OTHER_THROATS_OF_SEED = {8: True, 10: False, 12: True, 13: False}


def add_mouth_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register each step as a sub-command that works in the folder `--work`."""
    corpus = commands.add_parser("corpus", help="speak and label the corpus, about 3 CPU-minutes")
    corpus.add_argument("--sentences", type=int, default=1980)
    corpus.add_argument("--held-out-sentences", type=int, default=286)
    corpus.set_defaults(step=make_corpus)

    mouth = commands.add_parser("mouth", help="train and export the network between sound and mouth")
    mouth.add_argument("--cpu-minutes", type=float, default=80.0, help="for all networks together")
    mouth.add_argument("--varied-copies", type=int, default=2)
    mouth.add_argument("--folder", type=Path, default=NETWORK)
    mouth.set_defaults(step=make_mouth)

    moments = commands.add_parser("moments", help="choose other moments of speech to render heads in")
    moments.set_defaults(step=make_moments)

    voices = commands.add_parser("voices", help="write the voices that only `evaluate` hears (Debian's)")
    voices.add_argument("folder", type=Path)
    voices.set_defaults(step=make_held_out_voices)

    evaluate = commands.add_parser("evaluate", help="score the exported network and write its report")
    evaluate.add_argument("--folder", type=Path, default=NETWORK)
    evaluate.add_argument(
        "--recordings", type=Path, help="VOICE/NAME.wav beside NAME.txt: voices never trained on"
    )
    evaluate.set_defaults(step=evaluate_mouth)


def make_corpus(arguments: argparse.Namespace) -> None:
    """Speak the training corpus and the held-out one."""
    from services.lipsync.training.corpus_voices import corpus_parts
    from services.lipsync.training.flite_program import fetched_flite
    from services.lipsync.training.speech_corpus import spoken_corpus, write_corpus

    parts = corpus_parts(fetched_flite(arguments.work))
    for name, sentences, seed in (
        (_CORPUS, arguments.sentences, _CORPUS_SEED),
        (_HELD_OUT, arguments.held_out_sentences, _HELD_OUT_SEED),
    ):
        write_corpus(arguments.work / name, list(spoken_corpus(parts, sentences, seed)))
        print(f"wrote {arguments.work / name}")


def make_mouth(arguments: argparse.Namespace) -> None:
    """Train on the corpus and export the network."""
    from services.lipsync.training.mouth_examples import average_column, training_examples
    from services.lipsync.training.mouth_export import export_mouth_network
    from services.lipsync.training.mouth_network import MouthEnsemble, weights
    from services.lipsync.training.mouth_training import trained_mouth_network
    from services.lipsync.training.speech_corpus import read_corpus

    corpus = read_corpus(arguments.work / _CORPUS)
    average = average_column(corpus)
    examples = training_examples(corpus, average, arguments.varied_copies, _EXAMPLES_SEED)
    print(f"{examples.starts.size} frames to learn from")
    seconds = arguments.cpu_minutes * 60 / len(_OTHER_THROATS_OF_SEED)
    ensemble = MouthEnsemble(
        trained_mouth_network(examples, seconds, seed, other_throats=other_throats)
        for seed, other_throats in _OTHER_THROATS_OF_SEED.items()
    ).eval()
    difference = export_mouth_network(ensemble, average, arguments.folder)
    print(f"wrote {arguments.folder}: {weights(ensemble)} weights; onnxruntime differs by {difference:.1e}")


def make_moments(arguments: argparse.Namespace) -> None:
    """Choose the moments out of both corpora."""
    import numpy as np

    from services.lipsync.training.mouth_poses import MOMENTS
    from services.lipsync.training.speech_corpus import read_corpus
    from services.lipsync.training.speech_moments import chosen_moments

    moments = chosen_moments(read_corpus(arguments.work / _CORPUS), read_corpus(arguments.work / _HELD_OUT))
    np.savetxt(MOMENTS, moments, "%.2f", delimiter=",")
    print(f"wrote {MOMENTS}")


def make_held_out_voices(arguments: argparse.Namespace) -> None:
    """Write the voices that training never hears."""
    from services.lipsync.training.held_out_voices import write_held_out_voices

    write_held_out_voices(arguments.folder)
    print(f"wrote {arguments.folder}")


def evaluate_mouth(arguments: argparse.Namespace) -> None:
    """Score the exported network on sentences and voices that it has not heard."""
    from services.lipsync.training.exported_mouth import ExportedMouth
    from services.lipsync.training.held_out_voices import PERSON
    from services.lipsync.training.mouth_evaluation import voice_scores
    from services.lipsync.training.mouth_report import write_report
    from services.lipsync.training.mouth_stillness import stillnesses
    from services.lipsync.training.recordings import recorded_speech
    from services.lipsync.training.speech_corpus import read_corpus

    mouth = ExportedMouth(arguments.folder)
    spoken = read_corpus(arguments.work / _HELD_OUT)
    heard = voice_scores(mouth, spoken)
    recorded = list(recorded_speech(arguments.recordings)) if arguments.recordings else []
    synthesised = [
        replace(speech, voice="all synthesisers together") for speech in recorded if speech.voice != PERSON
    ]
    unheard = [*voice_scores(mouth, recorded), *voice_scores(mouth, synthesised)]
    print(write_report(arguments.folder, heard, unheard, stillnesses(mouth, spoken)))
