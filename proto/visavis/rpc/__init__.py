"""How the four processes talk: serving, calling, failing, and being watched."""
