"""Clients of the three stages: the only place in the gateway that knows protobuf."""
