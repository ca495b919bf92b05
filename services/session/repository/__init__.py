"""SQLAlchemy Core behind the ports: each method is a step of a unit of work on the connection it is given."""
