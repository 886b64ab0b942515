with

source_files as (

    select * from {{ ref('stg_source_files') }}

),

line_counts as (

    select * from {{ ref('int_line_counts') }}

),

duplicate_counts as (

    select
        dump_date,
        source_file,
        count(*) as lines
    from {{ ref('int_duplicate_lines') }}
    group by dump_date, source_file

),

accepted_counts as (

    select
        dump_date,
        source_file,
        cast(sum(lines) as bigint) as lines
    from {{ ref('int_accepted_lines') }}
    group by dump_date, source_file

),

-- The file's own count of lines comes from reading the file; the five others are counted here
-- from where the lines ended. A file in one list only is off as well.
counted as (

    select
        coalesce(source_files.dump_date, line_counts.dump_date) as dump_date,
        coalesce(source_files.source_file, line_counts.source_file) as source_file,
        source_files.lines,
        source_files.control as ledger_control,
        source_files.ignored as ledger_ignored,
        source_files.quarantined as ledger_quarantined,
        coalesce(line_counts.control, 0) as control,
        coalesce(line_counts.ignored, 0) as ignored,
        coalesce(line_counts.quarantined, 0) as quarantined,
        coalesce(duplicate_counts.lines, 0) as duplicate,
        coalesce(accepted_counts.lines, 0) as accepted
    from source_files
    full outer join line_counts
        on
            source_files.dump_date = line_counts.dump_date
            and source_files.source_file = line_counts.source_file
    left join duplicate_counts
        on
            coalesce(source_files.dump_date, line_counts.dump_date) = duplicate_counts.dump_date
            and coalesce(source_files.source_file, line_counts.source_file)
            = duplicate_counts.source_file
    left join accepted_counts
        on
            coalesce(source_files.dump_date, line_counts.dump_date) = accepted_counts.dump_date
            and coalesce(source_files.source_file, line_counts.source_file)
            = accepted_counts.source_file

),

looked_at as (

    select
        cast(null as date) as event_date,
        cast(null as string) as system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        dump_date || ' ' || source_file
        || ': ' || coalesce(cast(lines as string), 'unknown') || ' lines, but '
        || control || ' control, ' || ignored || ' ignored, ' || quarantined || ' quarantined, '
        || duplicate || ' duplicate, ' || accepted || ' accepted' as detail,
        coalesce(
            lines <> control + ignored + quarantined + duplicate + accepted
            or control <> ledger_control
            or ignored <> ledger_ignored
            or quarantined <> ledger_quarantined,
            true
        ) as is_violation
    from counted

)

{{ invariant_result('lines_are_all_accounted_for', looked_at='looked_at') }}
