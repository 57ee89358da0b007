"""The network between sound and mouth, where PyTorch is: windows in a row are windows one by one."""

import pytest

torch = pytest.importorskip("torch")


def test_frames_in_a_row_are_heard_as_each_in_its_window() -> None:
    from services.lipsync.mel import BANDS
    from services.lipsync.training.mouth_examples import WINDOW_COLUMNS, columns_of_row
    from services.lipsync.training.mouth_network import MouthNetwork

    torch.manual_seed(0)
    network = MouthNetwork().eval()
    heard = torch.randn(3, BANDS, columns_of_row(4))
    starts = [0, 3, 6, 10]
    one_by_one = [network(heard[:, :, start : start + WINDOW_COLUMNS]) for start in starts]
    assert torch.allclose(network(heard)[:, :, starts], torch.cat(one_by_one, dim=2), atol=1e-6)
    in_training = network.along(heard, torch.tensor([starts] * 3))
    assert torch.allclose(in_training, torch.stack(one_by_one, dim=1)[..., 0], atol=1e-6)
