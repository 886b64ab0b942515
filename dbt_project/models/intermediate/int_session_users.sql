{{ config(meta={'dated_by': ['home_date']}) }}
{% set an_anonymous_id -%}
    exists (
        select 1
        from anonymous_ids
        where
            coalesce(anonymous_ids.end_user_id_source, told_alike.end_user_id_source, '')
            = coalesce(told_alike.end_user_id_source, '')
            and {{ is_like_id('told_alike.end_user_id', 'anonymous_ids.end_user_id_pattern') }}
    )
{%- endset -%}
with

item_events as (

    select * from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and end_user_id is not null

),

anonymous_ids as (

    select * from {{ ref('anonymous_ids') }}

),

-- The events of a session say much the same of a user, so there are few of these.
told_alike as (

    select
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        end_user_id_source,
        user_role,
        user_type,
        user_status,
        user_info,
        language,
        browser,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        count(*) as events
    from item_events
    group by
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        end_user_id_source,
        user_role,
        user_type,
        user_status,
        user_info,
        language,
        browser

),

judged as (

    select
        *,
        true as is_anonymous
    from told_alike
    where {{ an_anonymous_id }}

    union all

    select
        *,
        false as is_anonymous
    from told_alike
    where not {{ an_anonymous_id }}

),

session_users as (

    select
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        cast(sum(events) as bigint) as events,
        cast(sum(case when is_anonymous then events else 0 end) as bigint) as anonymous_events,
        cast(
            sum(
                case
                    when not is_anonymous and end_user_id_source is not null then events
                    else 0
                end
            ) as bigint
        ) as known_events,
        {{ last_by('user_role', ['last_seen_at', 'user_role']) }} as user_role,
        {{ last_by('user_type', ['last_seen_at', 'user_type']) }} as user_type,
        {{ last_by('user_status', ['last_seen_at', 'user_status']) }} as user_status,
        {{ last_by('user_info', ['last_seen_at', 'user_info']) }} as user_info,
        {{ last_by('language', ['last_seen_at', 'language']) }} as language,
        {{ last_by('browser', ['last_seen_at', 'browser']) }} as browser
    from judged
    group by home_date, system_id, environment, session_id, end_user_id

),

final as (

    select
        ---------- key
        home_date,
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- times
        first_seen_at,
        last_seen_at,

        ---------- counts
        count(*) over (partition by system_id, environment, session_id) as session_end_users,
        events,
        anonymous_events,
        known_events,

        ---------- what is said of the user
        user_role,
        user_type,
        user_status,
        user_info,
        language,
        browser
    from session_users

)

select * from final
