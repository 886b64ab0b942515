"""Sets up Superset's metadata and imports the dashboards; runs in Superset's own environment.

    python prepare.py <bundle> <administrator> <password file> <reader> <password file> <chart>…

The charts are those that an earlier bundle may have had and this one has not, by their UUIDs.

It does everything in one process, because Superset takes several seconds to start. Run again, it
updates what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from flask_migrate import upgrade
from superset.app import create_app

READERS = "Walkhouse readers"
# What Superset's least role may do besides reading.
CHANGES = ("can_write", "can_add", "can_edit", "can_delete", "can_save", "can_set", "can_sqllab")
# What somebody chose in the filters is their own, and so is a link to it.
OWN = ("DashboardFilterStateRestApi", "DashboardPermalinkRestApi")


def prepare(
    bundle: Path,
    administrator: str,
    password: str,
    reader: str,
    secret: str,
    left_out: Sequence[str],
) -> None:
    """Bring the metadata database up to date, with two users and the dashboards."""
    with create_app().app_context():
        # Superset's modules need an application to be imported.
        from superset import appbuilder, db, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.models.slice import Slice
        from superset.utils.core import override_user

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        admins = security_manager.find_role(security_manager.auth_role_admin)
        user = user_of(security_manager, administrator, "Administrator", admins, password)
        user_of(security_manager, reader, "Reader", readers_of(security_manager), secret)
        files = {
            str(file.relative_to(bundle)): file.read_text(encoding="utf-8")
            for file in sorted(bundle.rglob("*.yaml"))
        }
        gone = Slice.uuid.in_([UUID(chart) for chart in left_out])
        for chart in db.session.query(Slice).filter(gone):
            db.session.delete(chart)
        with override_user(user):
            ImportAssetsCommand(files).run()
        db.session.commit()


def user_of(manager: Any, name: str, title: str, role: Any, password: str) -> Any:
    """The user of this name; made where there is none."""
    user = manager.find_user(username=name)
    if user is None:
        user = manager.add_user(name, "Walkhouse", title, f"{name}@localhost", role, password)
        if not user:
            raise SystemExit(f"Superset could not add the user {name}")
    return user


def readers_of(manager: Any) -> Any:
    """The role of those who look at everything and change nothing."""
    role = manager.add_role(READERS)
    role.permissions = [
        *(
            each
            for each in manager.find_role("Gamma").permissions
            if each.view_menu.name in OWN or not each.permission.name.startswith(CHANGES)
        ),
        manager.add_permission_view_menu("all_datasource_access", "all_datasource_access"),
    ]
    return role


if __name__ == "__main__":
    folder, administrator, password, reader, secret, *left_out = sys.argv[1:]
    prepare(
        Path(folder),
        administrator,
        Path(password).read_text(encoding="utf-8").strip(),
        reader,
        Path(secret).read_text(encoding="utf-8").strip(),
        left_out,
    )
