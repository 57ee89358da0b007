"""Conversations in, text and speakable utterances out."""
