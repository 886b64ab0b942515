"""Hand-written landings: real files for every theme of getting-data-in.md, one function a theme.

Each function writes its dumps under `landing` and gives `landing` back. The themes have files,
sessions and users of their own, so any of them can also be written into one landing together;
`MANY_THEMES` are those that all load, `REFUSED_MANIFESTS` the dumps that must not.
"""

from collections.abc import Callable
from pathlib import Path

from tests.whole.landings.columns import (
    broken_rules as broken_rules,
)
from tests.whole.landings.columns import (
    catalogue as catalogue,
)
from tests.whole.landings.columns import (
    catalogued as catalogued,
)
from tests.whole.landings.columns import (
    environments as environments,
)
from tests.whole.landings.columns import (
    every_pair as every_pair,
)
from tests.whole.landings.columns import (
    initiators as initiators,
)
from tests.whole.landings.columns import (
    renamed_items as renamed_items,
)
from tests.whole.landings.columns import (
    unknown_keys as unknown_keys,
)
from tests.whole.landings.families import (
    FAMILIES_DUMP as FAMILIES_DUMP,
)
from tests.whole.landings.families import (
    actionbot as actionbot,
)
from tests.whole.landings.families import (
    clock_changes as clock_changes,
)
from tests.whole.landings.families import (
    flows as flows,
)
from tests.whole.landings.families import (
    items_of_sessions as items_of_sessions,
)
from tests.whole.landings.families import (
    nps_questions as nps_questions,
)
from tests.whole.landings.families import (
    quizzes as quizzes,
)
from tests.whole.landings.families import (
    searches as searches,
)
from tests.whole.landings.families import (
    surveys as surveys,
)
from tests.whole.landings.families import (
    timeline as timeline,
)
from tests.whole.landings.families import (
    types_and_ids as types_and_ids,
)
from tests.whole.landings.families import (
    whole_seconds as whole_seconds,
)
from tests.whole.landings.files import (
    all_compressions as all_compressions,
)
from tests.whole.landings.files import (
    manifest_that_matches as manifest_that_matches,
)
from tests.whole.landings.files import (
    manifest_with_a_missing_file as manifest_with_a_missing_file,
)
from tests.whole.landings.files import (
    manifest_with_a_wrong_count as manifest_with_a_wrong_count,
)
from tests.whole.landings.files import (
    manifest_with_a_wrong_hash as manifest_with_a_wrong_hash,
)
from tests.whole.landings.files import (
    manifest_with_an_extra_file as manifest_with_an_extra_file,
)
from tests.whole.landings.files import (
    many_files as many_files,
)
from tests.whole.landings.files import (
    names_from_folders as names_from_folders,
)
from tests.whole.landings.files import (
    three_forms as three_forms,
)
from tests.whole.landings.hostile_files import (
    broken_csv as broken_csv,
)
from tests.whole.landings.hostile_files import (
    damaged_gzip as damaged_gzip,
)
from tests.whole.landings.hostile_files import (
    nothing_but_a_gzip_header as nothing_but_a_gzip_header,
)
from tests.whole.landings.hostile_files import (
    odd_bytes as odd_bytes,
)
from tests.whole.landings.hostile_files import (
    one_huge_line as one_huge_line,
)
from tests.whole.landings.hostile_files import (
    wrong_extensions as wrong_extensions,
)
from tests.whole.landings.journeys import (
    goals as goals,
)
from tests.whole.landings.journeys import (
    paths as paths,
)
from tests.whole.landings.lines import (
    all_quarantine_reasons as all_quarantine_reasons,
)
from tests.whole.landings.lines import (
    control_and_ignored as control_and_ignored,
)
from tests.whole.landings.lines import (
    duplicates_across_dumps as duplicates_across_dumps,
)
from tests.whole.landings.lines import (
    duplicates_across_files as duplicates_across_files,
)
from tests.whole.landings.lines import (
    duplicates_within_a_file as duplicates_within_a_file,
)
from tests.whole.landings.lines import (
    identities as identities,
)
from tests.whole.landings.lines import (
    time_limits as time_limits,
)
from tests.whole.landings.records import (
    IGNORED_VERBS as IGNORED_VERBS,
)
from tests.whole.landings.records import (
    OTHER_SYSTEM as OTHER_SYSTEM,
)
from tests.whole.landings.records import (
    RAW_PAIRS as RAW_PAIRS,
)
from tests.whole.landings.records import (
    SYSTEM as SYSTEM,
)
from tests.whole.landings.records import (
    Record as Record,
)
from tests.whole.landings.records import (
    at as at,
)
from tests.whole.landings.records import (
    csv_table as csv_table,
)
from tests.whole.landings.records import (
    cut_gzip as cut_gzip,
)
from tests.whole.landings.records import (
    entry as entry,
)
from tests.whole.landings.records import (
    flat as flat,
)
from tests.whole.landings.records import (
    ndjson as ndjson,
)
from tests.whole.landings.records import (
    parquet_table as parquet_table,
)
from tests.whole.landings.records import (
    player as player,
)
from tests.whole.landings.records import (
    put as put,
)
from tests.whole.landings.records import (
    put_manifest as put_manifest,
)
from tests.whole.landings.records import (
    tabular as tabular,
)
from tests.whole.landings.sessions import (
    late_events as late_events,
)
from tests.whole.landings.sessions import (
    log_in_within_a_session as log_in_within_a_session,
)
from tests.whole.landings.sessions import (
    long_sessions as long_sessions,
)
from tests.whole.landings.sessions import (
    people as people,
)

MANY_THEMES: tuple[Callable[[Path], Path], ...] = (
    three_forms,
    all_compressions,
    many_files,
    manifest_that_matches,
    names_from_folders,
    damaged_gzip,
    wrong_extensions,
    one_huge_line,
    odd_bytes,
    broken_csv,
    all_quarantine_reasons,
    control_and_ignored,
    time_limits,
    duplicates_within_a_file,
    duplicates_across_files,
    duplicates_across_dumps,
    identities,
    late_events,
    long_sessions,
    log_in_within_a_session,
    people,
    every_pair,
    environments,
    initiators,
    renamed_items,
    unknown_keys,
    broken_rules,
    flows,
    items_of_sessions,
    surveys,
    nps_questions,
    types_and_ids,
    whole_seconds,
    searches,
    paths,
    goals,
    actionbot,
    quizzes,
    clock_changes,
)

REFUSED_MANIFESTS: dict[str, Callable[[Path], Path]] = {
    "2026-03-05": manifest_with_a_missing_file,
    "2026-03-06": manifest_with_an_extra_file,
    "2026-03-07": manifest_with_a_wrong_hash,
    "2026-03-08": manifest_with_a_wrong_count,
}


def many_themes(landing: Path) -> Path:
    """All themes that load, in one landing; without a catalogue."""
    for theme in MANY_THEMES:
        theme(landing)
    return landing
