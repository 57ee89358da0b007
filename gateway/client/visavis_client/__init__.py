"""Typed Python client of Vis-à-vis, and the visavis command."""
