from kit.db.alembic_env import run
from services.session.tables import METADATA

run(METADATA)
