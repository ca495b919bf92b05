from kit.db.alembic_env import run
from services.collab.tables import METADATA

run(METADATA)
