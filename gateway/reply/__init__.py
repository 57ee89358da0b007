"""How one reply is made: its pipeline, its event log, its progress and its one end."""
