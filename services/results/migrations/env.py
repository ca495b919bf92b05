from kit.db.alembic_env import run
from services.results.tables import METADATA

run(METADATA)
