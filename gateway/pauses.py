"""A started process goes in; one whose open streams seldom wait for the garbage collector comes out."""

import gc

# A full collection looks at everything alive: a quarter of a second of all streams' time with 2,000 of them
# open. Young garbage, all that requests and replies leave in cycles, is collected as often as ever.
_YOUNG_COLLECTIONS_PER_FULL_ONE = 100


def collect_seldom() -> None:
    """Sets what start-up made apart for good, and makes full collections ten times as rare as by default."""
    gc.collect()
    gc.freeze()
    new_objects, collections, _ = gc.get_threshold()
    gc.set_threshold(new_objects, collections, _YOUNG_COLLECTIONS_PER_FULL_ONE)
