"""The contract between the four processes, and how they talk."""
