"""Synthetic speech and a synthetic head in, the networks and avatars that serving loads out."""
