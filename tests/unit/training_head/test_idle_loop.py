"""When Ava blinks, and what may change at the edge of a crop."""

from services.lipsync.training.head_pictures import backdrop, oval
from services.lipsync.training.idle_loop import lids_at
from services.lipsync.training.sway import LOOP_FRAMES


def test_eyes_are_open_around_the_joint_of_the_loop() -> None:
    assert not any(lids_at(frame) for frame in (*range(10), *range(LOOP_FRAMES - 10, LOOP_FRAMES)))


def test_she_blinks_twice_and_shuts_her_eyes_wholly() -> None:
    lids = [lids_at(frame) for frame in range(LOOP_FRAMES)]
    begun = [frame for frame in range(1, LOOP_FRAMES) if lids[frame] and not lids[frame - 1]]
    assert len(begun) == 2
    assert all(max(lids[frame : frame + 8]) == 1 for frame in begun)


def test_lids_fall_faster_than_they_rise() -> None:
    lids = [lids_at(frame) for frame in range(LOOP_FRAMES)]
    shut = lids.index(1.0)
    before = next(step for step in range(LOOP_FRAMES) if not lids[shut - step])
    after = next(step for step in range(LOOP_FRAMES) if not lids[shut + step])
    assert before < after


def test_a_change_fades_out_before_the_edge_of_its_crop() -> None:
    soft = oval(160, 120)
    assert soft[60, 80] == 1
    assert not soft[[0, -1]].any()
    assert not soft[:, [0, -1]].any()


def test_the_wall_has_no_visible_step() -> None:
    wall = backdrop(512) * 255
    assert abs(wall[1:] - wall[:-1]).max() < 1
    assert abs(wall[:, 1:] - wall[:, :-1]).max() < 1
