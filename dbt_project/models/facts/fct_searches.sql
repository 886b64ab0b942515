{{ config(meta={'dated_by': ['home_date', 'event_date']}) }}
with

search_events as (

    select
        *,
        {{ epoch_ms('occurred_at') }} as occurred_ms,
        case
            when event = 'Search'
                then
                    coalesce(
                        nullif({{ trimmed('value') }}, ''), nullif({{ trimmed('item_name') }}, '')
                    )
        end as term
    from {{ ref('fct_item_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_searches') }}

),

-- Searches are compared with searches; a click between two of them changes nothing.
with_previous as (

    select
        *,
        {{ folded('term') }} as folded_term,
        lag({{ folded('term') }}) over (
            partition by system_id, environment, session_id, event
            order by {{ in_event_order() }}
        ) as previous_term,
        lag(occurred_ms) over (
            partition by system_id, environment, session_id, event
            order by {{ in_event_order() }}
        ) as previous_ms
    from search_events

),

with_starts as (

    select
        *,
        event = 'Search' and not coalesce(
            occurred_ms - previous_ms <= {{ var('search_intent_pause_seconds') }} * 1000
            and coalesce(
                left(folded_term, length(previous_term)) = previous_term
                or left(previous_term, length(folded_term)) = folded_term,
                folded_term is null and previous_term is null
            ),
            false
        ) as starts_intent
    from with_previous

),

-- Clicks before the first search of a session are intent 0.
with_intents as (

    select
        *,
        sum(case when starts_intent then 1 else 0 end) over (
            partition by system_id, environment, session_id
            order by {{ in_event_order() }}
            rows between unbounded preceding and current row
        ) as intent
    from with_starts

),

intents as (

    select
        system_id,
        environment,
        session_id,
        intent,
        coalesce(max(case when starts_intent then event_key end), min(event_key)) as search_key,
        {{ latest('end_user_id') }} as end_user_id,
        {{ latest('term') }} as final_term,
        min(home_date) as home_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(case when event = 'Search' then occurred_at end) as searched_at,
        min(case when event = 'Click' then occurred_at end) as clicked_at,
        {{ latest("case when event = 'Click' then item_id end") }} as clicked_item_id,
        {{ latest("case when event = 'Click' then item_name end") }} as clicked_item_name,
        count(*) filter (where event = 'Search') as keystroke_events,
        count(*) filter (where event = 'Click') as clicks,
        count(*) as events
    from with_intents
    group by system_id, environment, session_id, intent

),

with_next as (

    select
        *,
        {{ folded('final_term') }} as folded_final_term,
        lead({{ folded('final_term') }}) over (
            partition by system_id, environment, session_id
            order by intent
        ) as next_term
    from intents

),

-- A term was only a beginning if nothing was clicked, and the term of the session's next intent is
-- longer and begins with it.
with_beginnings as (

    select
        *,
        coalesce(
            clicks = 0
            and length(next_term) > length(folded_final_term)
            and left(next_term, length(folded_final_term)) = folded_final_term,
            false
        ) as is_typed_on
    from with_next

),

-- What begins and what it was typed on to is one chain; its last intent says what was searched.
with_chains as (

    select
        *,
        coalesce(
            sum(case when is_typed_on then 0 else 1 end) over (
                partition by system_id, environment, session_id
                order by intent
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as chain
    from with_beginnings

),

with_ends as (

    select
        *,
        max(case when not is_typed_on then folded_final_term end) over (
            partition by system_id, environment, session_id, chain
        ) as search_term,
        max(clicks) over (partition by system_id, environment, session_id, chain) > 0
            as led_to_click
    from with_chains

),

final as (

    select
        ---------- key
        search_key,

        ---------- who and where
        system_id,
        environment,
        session_id,
        end_user_id,

        ---------- times
        home_date,
        cast(first_event_at as date) as event_date,
        first_event_at,
        last_event_at,
        searched_at,
        clicked_at,

        ---------- search
        final_term,
        is_typed_on,
        search_term,
        keystroke_events,
        clicks > 0 as was_clicked,
        led_to_click,
        clicks,
        {{ ms_to_seconds('(' ~ epoch_ms('clicked_at') ~ ' - ' ~ epoch_ms('searched_at') ~ ')') }}
            as seconds_to_click,
        clicked_item_id,
        clicked_item_name,
        events
    from with_ends

)

select * from final
