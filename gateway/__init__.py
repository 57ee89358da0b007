"""Orchestrates text, speech and video into one streaming reply over HTTP."""
