from kit.db.alembic_env import run
from services.library.tables import METADATA

run(METADATA)
