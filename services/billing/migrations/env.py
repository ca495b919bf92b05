from kit.db.alembic_env import run
from services.billing.tables import METADATA

run(METADATA)
