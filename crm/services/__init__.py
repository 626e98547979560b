"""Use cases: one transaction each, (session, actor, ..., now) in; authorise, decide, write, record."""
