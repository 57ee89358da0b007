"""What the replicas of a gateway share, kept in one Valkey: the only place that knows its client."""
