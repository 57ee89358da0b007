"""PCM becomes samples within one, at another rate too; half a sample is refused."""

from __future__ import annotations

import numpy as np
import pytest

from services.lipsync.waveform import resampled, waveform_of


def test_samples_are_little_endian_and_within_one() -> None:
    assert waveform_of(b"\x00\x80\xff\x7f\x00\x00").tolist() == [-1.0, pytest.approx(0.99997, abs=1e-5), 0.0]


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("wanted_hz", [16_000, 48_000])
def test_resampling_keeps_length_and_time(rate_hz: int, wanted_hz: int) -> None:
    samples = rate_hz * 16 // 25
    impulse = np.zeros(samples, np.float32)
    impulse[samples // 2] = 1

    result = resampled(impulse, rate_hz, wanted_hz)

    assert len(result) == wanted_hz * 16 // 25
    energy = np.square(result)
    centre = float((np.arange(len(result)) * energy).sum() / energy.sum())
    assert centre == pytest.approx(samples // 2 * wanted_hz / rate_hz, abs=0.01)


def test_a_length_that_is_no_whole_number_of_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number"):
        resampled(np.zeros(3, np.float32), 48_000, 16_000 + 1)
