"""Sets up Superset's metadata and imports the dashboards; runs in Superset's own environment.

    python prepare.py <folder of the bundle> <user> <file with the user's password>

It does everything in one process, because Superset takes several seconds to start. Run again, it
updates what is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flask_migrate import upgrade
from superset.app import create_app


def prepare(bundle: Path, user_name: str, password: str) -> None:
    """Bring the metadata database up to date, with one administrator and the dashboards."""
    with create_app().app_context():
        # Superset's modules need an application to be imported.
        from superset import appbuilder, db, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.utils.core import override_user

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        user = security_manager.find_user(username=user_name)
        if user is None:
            role = security_manager.find_role(security_manager.auth_role_admin)
            user = security_manager.add_user(
                user_name, "Walkhouse", "Administrator", f"{user_name}@localhost", role, password
            )
            if not user:
                raise SystemExit(f"Superset could not add the user {user_name}")
        files = {
            str(file.relative_to(bundle)): file.read_text(encoding="utf-8")
            for file in sorted(bundle.rglob("*.yaml"))
        }
        with override_user(user):
            ImportAssetsCommand(files).run()
        db.session.commit()


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text(encoding="utf-8").strip())
