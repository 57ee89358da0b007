"""When an avatar blinks and glances aside, and what may change at the edge of a crop."""

import numpy as np
import pytest

from services.lipsync.idle_motion import LOOP_FRAMES, lids_at
from services.lipsync.training.head_pictures import backdrop, oval
from services.lipsync.training.identities import IDENTITIES
from services.lipsync.training.identity import Identity
from services.lipsync.training.idle_loop import GLANCES, gaze_at
from services.lipsync.training.rig import GAZES


def test_eyes_are_open_around_the_joint_of_the_loop() -> None:
    assert not any(lids_at(frame) for frame in (*range(10), *range(LOOP_FRAMES - 10, LOOP_FRAMES)))


def test_an_avatar_blinks_twice_and_shuts_the_eyes_wholly() -> None:
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


def test_every_gaze_is_glanced_once_and_wholly() -> None:
    assert len(GLANCES) == len(GAZES)
    furthest = np.max([gaze_at(frame) for frame in range(LOOP_FRAMES)], axis=0)
    assert furthest.tolist() == [1.0] * len(GAZES)


def test_eyes_that_glance_aside_are_open_and_go_one_way_at_a_time() -> None:
    for frame in range(LOOP_FRAMES):
        gaze = gaze_at(frame)
        assert np.count_nonzero(gaze) <= 1
        assert not (gaze.any() and lids_at(frame))


def test_the_viewer_is_looked_at_around_the_joint_and_most_of_the_time() -> None:
    aside = [bool(gaze_at(frame).any()) for frame in range(LOOP_FRAMES)]
    assert not any((*aside[:10], *aside[-10:]))
    assert sum(aside) < LOOP_FRAMES * 2 / 5


def test_a_change_fades_out_before_the_edge_of_its_crop() -> None:
    soft = oval(160, 120)
    assert soft[60, 80] == 1
    assert not soft[[0, -1]].any()
    assert not soft[:, [0, -1]].any()


@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_the_wall_has_no_visible_step(identity: Identity) -> None:
    wall = backdrop(512, identity.wall) * 255
    assert abs(wall[1:] - wall[:-1]).max() < 1
    assert abs(wall[:, 1:] - wall[:, :-1]).max() < 1
