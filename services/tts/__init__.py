"""Utterances in, speech out."""
