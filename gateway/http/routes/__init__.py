"""What clients can ask for over HTTP: one file per kind of resource."""
