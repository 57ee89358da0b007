"""Speech and an avatar in, a stream of playable video fragments out."""
