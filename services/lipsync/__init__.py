"""Speech and an avatar in, a stream of playable video fragments out."""

import os

# onnxruntime tells its makers about every process, session and model, and names the machine by a file in the
# user's home; it looks for this once, when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
