"""Where rows are kept: engine, sessions, migrations, Redis, and the queries too long for a service."""
