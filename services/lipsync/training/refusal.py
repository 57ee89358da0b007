"""The one way an import ends badly: a sentence for the person who gave the file."""


class CheckpointRefused(Exception):
    """The file cannot become a network: what it is instead, and what to do about it."""
