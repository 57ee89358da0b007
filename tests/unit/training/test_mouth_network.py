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
    starts = torch.tensor([[0, 3, 6, 10]] * 3)
    one_by_one = [network(heard[:, None, :, start : start + WINDOW_COLUMNS]) for start in starts[0].tolist()]
    assert torch.allclose(network.along(heard, starts), torch.stack(one_by_one, dim=1), atol=1e-6)
