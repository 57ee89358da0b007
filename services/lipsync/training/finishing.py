"""How poses of our network are finished before they are drawn, as its manifest says and training assumes."""

from services.lipsync.pose import ClosureGate

SMOOTHING = (0.15, 0.7, 0.15)
CLOSURE = ClosureGate(begins=0.3, complete=0.8)
CONTACT_PEAK = ClosureGate(begins=0.10, complete=0.15)
