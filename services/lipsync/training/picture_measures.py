"""Two pictures (h,w,3) RGB 0..1 in, how much alike they look out.

LPIPS (Zhang et al. 2018) would need the weights of a large network, which a check-out does not hold. Gradient
magnitude similarity needs none, ranks blur and misplaced edges much as people do, and is read the same way:
0 is equal, more is worse.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

_LUMA_OF_RGB = (0.299, 0.587, 0.114)
_WINDOW = (11, 11)
_WINDOW_SIGMA = 1.5
_SSIM_LUMINANCE, _SSIM_CONTRAST = 0.01**2, 0.03**2
_GMS_CONSTANT = 170 / 255**2
_SCALES = 3


def decibels(drawn: Pixels, true: Pixels, where: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio, of the pixels (h,w) `where` or of all; no upper bound."""
    error = np.square(drawn.astype(np.float64) - true).mean(-1)
    return float(-10 * np.log10(error[where].mean() if where is not None else error.mean()))


def structural_similarity(drawn: Pixels, true: Pixels) -> float:
    """SSIM of the luma (Wang et al. 2004), 1 for equal pictures."""
    one, other = luma(drawn), luma(true)
    mean, other_mean = _windowed(one), _windowed(other)
    variance = _windowed(one * one) - mean**2
    other_variance = _windowed(other * other) - other_mean**2
    shared = _windowed(one * other) - mean * other_mean
    luminance = (2 * mean * other_mean + _SSIM_LUMINANCE) / (mean**2 + other_mean**2 + _SSIM_LUMINANCE)
    contrast = (2 * shared + _SSIM_CONTRAST) / (variance + other_variance + _SSIM_CONTRAST)
    return float((luminance * contrast).mean())


def gradient_deviation(drawn: Pixels, true: Pixels) -> float:
    """Gradient magnitude similarity deviation (Xue et al. 2014), mean of three scales; 0 for equal ones.

    Each scale halves the picture first, as the paper does.
    """
    one, other = luma(drawn), luma(true)
    deviations = []
    for _ in range(_SCALES):
        one, other = _halved(one), _halved(other)
        steep, other_steep = _steepness(one), _steepness(other)
        similar = (2 * steep * other_steep + _GMS_CONSTANT) / (steep**2 + other_steep**2 + _GMS_CONSTANT)
        deviations.append(float(similar.std()))
    return float(np.mean(deviations))


def sharpness(drawn: Pixels, true: Pixels, where: NDArray[np.bool_]) -> float:
    """How steep edges are where something moves, as share of the true ones: below 1 is blurred."""
    return float(_steepness(luma(drawn))[where].mean() / _steepness(luma(true))[where].mean())


def luma(picture: Pixels) -> NDArray[np.float64]:
    """(h,w) brightness 0..1 (BT.601)."""
    return np.asarray(picture.astype(np.float64) @ _LUMA_OF_RGB)


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(values, _WINDOW, _WINDOW_SIGMA), np.float64)


def _halved(values: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = values.shape
    return np.asarray(cv2.resize(values, (width // 2, height // 2), interpolation=cv2.INTER_AREA))


def _steepness(values: NDArray[np.float64]) -> NDArray[np.float64]:
    across = cv2.Scharr(values, cv2.CV_64F, 1, 0) / 32
    along = cv2.Scharr(values, cv2.CV_64F, 0, 1) / 32
    return np.hypot(across, along)
