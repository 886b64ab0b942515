{{ config(
    meta={'dated_by': ['report_date'], 'refreshes': ['dim_items']},
    post_hook=['{{ refresh_item_names() }}'],
) }}
{% set item = 'report_date, system_id, item_type, item_id, item_name_without_id' -%}
{% set what_they_did -%}
count(*) filter (where engagement = 'exposure') > 0 as is_exposed,
        count(*) filter (where engagement = 'interaction') > 0 as has_interacted
{%- endset -%}
with

item_events as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ report_date('occurred_at') }} as report_date
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('event_date') }}
        and environment = 'production'

),

items as (

    select * from {{ ref('dim_items') }}

),

first_times as (

    select * from {{ ref('int_first_times_of_items') }}
    where {{ is_stale('report_date') }}

),

people_of_days as (

    select * from {{ ref('int_people_of_days') }}
    where {{ is_stale('report_date') }}

),

events_of_days as (

    select * from item_events
    where {{ is_stale('report_date') }}

),

-- What each user did and what happened in each session, since telling them apart for every count
-- takes longer.
users as (

    select
        {{ item }},
        end_user_id,
        {{ what_they_did }}
    from events_of_days
    where
        engagement in ('exposure', 'interaction')
        and end_user_id is not null
    group by {{ item }}, end_user_id

),

sessions as (

    select
        {{ item }},
        session_id,
        {{ what_they_did }}
    from events_of_days
    where engagement in ('exposure', 'interaction')
    group by {{ item }}, session_id

),

users_with_people as (

    {{ with_people('users', 'people_of_days') }}

),

users_and_sessions as (

    select
        {{ item }},
        true as is_user,
        person_id,
        is_exposed,
        has_interacted
    from users_with_people

    union all

    select
        {{ item }},
        false as is_user,
        cast(null as string) as person_id,
        is_exposed,
        has_interacted
    from sessions

),

counted as (

    select
        report_date,
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        count(*) filter (where is_user and is_exposed) as end_users_exposed,
        count(*) filter (where is_user and has_interacted) as end_users_interacted,
        {% for people, condition in {
            'people': 'is_user',
            'people_exposed': 'is_user and is_exposed',
            'people_interacted': 'is_user and has_interacted',
        }.items() -%}
        count(*) filter (where {{ condition }} and person_id is null)
        + count(distinct person_id) filter (where {{ condition }}) as {{ people }},
        {% endfor -%}
        count(*) filter (where not is_user and is_exposed) as sessions_exposed,
        count(*) filter (where not is_user and has_interacted) as sessions_interacted,
        count(*) filter (where not is_user) as sessions_exposed_or_interacted
    from users_and_sessions
    group by {{ item }}

),

events as (

    select
        {{ item }},
        {{ item_key('item_type', 'item_id', 'item_name_without_id') }} as item_key,
        {{ latest('item_name') }} as name_in_events,
        count(*) filter (where engagement = 'exposure') as exposures,
        count(*) filter (where engagement = 'interaction') as interactions,
        count(*) filter (where engagement = 'outcome') as outcomes
    from events_of_days
    group by {{ item }}

),

-- What only has outcomes was met by nobody.
totals as (

    select
        events.*,
        coalesce(counted.end_users_exposed, 0) as end_users_exposed,
        coalesce(counted.end_users_interacted, 0) as end_users_interacted,
        coalesce(counted.people, 0) as people,
        coalesce(counted.people_exposed, 0) as people_exposed,
        coalesce(counted.people_interacted, 0) as people_interacted,
        coalesce(counted.sessions_exposed, 0) as sessions_exposed,
        coalesce(counted.sessions_interacted, 0) as sessions_interacted,
        coalesce(counted.sessions_exposed_or_interacted, 0) as sessions_exposed_or_interacted
    from events
    left join counted
        on
            events.report_date = counted.report_date
            and events.item_key = counted.item_key

),

named as (

    {{ with_item_names('totals', 'items') }}

),

final as (

    select
        ---------- key
        named.report_date,
        named.system_id,
        named.item_key,

        ---------- item
        named.item_type,
        named.item_id,
        named.item_name,
        named.name_in_events,

        ---------- counts
        named.exposures,
        named.interactions,
        named.outcomes,
        named.end_users_exposed,
        named.end_users_interacted,
        named.sessions_exposed,
        named.sessions_interacted,
        named.sessions_exposed_or_interacted,
        {{ rate('named.sessions_interacted', 'named.sessions_exposed_or_interacted') }}
            as interaction_rate,

        ---------- people
        named.people,
        named.people_exposed,
        named.people_interacted,
        coalesce(first_times.first_time_people, 0) as first_time_people,
        named.people - coalesce(first_times.first_time_people, 0) as returning_people
    from named
    left join first_times
        on
            named.report_date = first_times.report_date
            and named.item_key = first_times.item_key

)

select * from final
