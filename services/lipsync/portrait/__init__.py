"""A photo of a face goes in, an avatar bundle that speaks comes out, in seconds, on one CPU core."""
