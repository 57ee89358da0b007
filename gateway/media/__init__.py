"""A reply's media: where they are kept, how they lie on the timeline, and the forms they are served in."""
