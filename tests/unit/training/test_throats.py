"""A spectrogram through another throat: the same in time, its bands moved and coloured."""

import numpy as np

from services.lipsync.mel import BANDS, SILENCE
from services.lipsync.training.throats import through_other_throats


def test_a_formant_moves_a_few_bands_at_most_and_stays_in_its_column() -> None:
    heard = np.full((50, BANDS, 20), SILENCE, np.float32)
    heard[:, 40, 7] = 3.0
    changed = through_other_throats(heard, np.random.default_rng(0))
    bands = changed[:, :, 7].argmax(axis=1)
    assert changed.shape == heard.shape
    assert (changed.max(axis=1).argmax(axis=1) == 7).all()
    assert np.abs(bands - 40).max() < 15
    assert 1.0 < bands.std() < 6.0


def test_rows_are_changed_each_in_its_own_way() -> None:
    row = np.random.default_rng(1).normal(0.0, 1.0, (BANDS, 20)).astype(np.float32)
    one, other = through_other_throats(np.stack([row, row]), np.random.default_rng(2))
    assert not np.allclose(one, other, atol=0.05)


def test_silence_is_never_fainter_than_silence() -> None:
    heard = np.full((20, BANDS, 4), SILENCE, np.float32)
    assert through_other_throats(heard, np.random.default_rng(3)).min() >= SILENCE
