"""Who signs in and what they may do: accounts, sessions, roles, permissions, and the audit log of it all."""
