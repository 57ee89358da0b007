"""The HTTP side: requests in, responses and streams out. The only place that knows FastAPI."""
