"""Our own ScaledObject, obeyed as KEDA would, with real workers behind real names on one machine."""
