{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
with

smarttips as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('first_event_at') }} as report_date
    from {{ ref('fct_smarttips') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

with_people as (

    {{ with_people('smarttips', 'people_of_days') }}

),

totals as (

    select
        {{ daily_item_columns('SmartTip') }},
        cast(sum(shown) as bigint) as shown,
        cast(sum(hovers) as bigint) as hovers,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(passed) as bigint) as passed,
        cast(sum(failed) as bigint) as failed,
        cast(sum(passed + failed) as bigint) as validations,
        count(*) filter (where shown > 0) as sessions_shown,
        count(*) filter (where hovers > 0) as sessions_hovered,
        count(*) filter (where first_validation_result is not null) as sessions_validated,
        count(*) filter (where first_validation_result = 'passed') as sessions_passed_at_first,
        count(*) filter (where last_validation_result = 'passed') as sessions_passed_at_last
    from with_people
    where {{ is_stale('report_date') }}
    group by report_date, system_id, item_id, item_name_without_id

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        report_date,
        system_id,
        item_key,

        ---------- item
        item_id,
        item_name,
        name_in_events,

        ---------- counts
        sessions,
        end_users,
        people,
        shown,
        hovers,
        clicks,
        sessions_shown,
        sessions_hovered,
        {{ rate('sessions_hovered', 'sessions') }} as hover_rate,

        ---------- validation
        passed,
        failed,
        validations,
        {{ rate('failed', 'validations') }} as failure_rate,
        sessions_validated,
        sessions_passed_at_first,
        {{ rate('sessions_passed_at_first', 'sessions_validated') }}
            as passed_at_first_rate,
        sessions_passed_at_last,
        {{ rate('sessions_passed_at_last', 'sessions_validated') }}
            as passed_at_last_rate
    from named

)

select * from final
