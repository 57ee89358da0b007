"""The whole path on one machine: four processes that start and end together."""

from visavis_client.local.stack import CHECKOUT, Stack, StackError, local_stack

__all__ = ["CHECKOUT", "Stack", "StackError", "local_stack"]
