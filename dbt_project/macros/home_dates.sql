{# Sessions that share a play of a flow belong together: what is counted per session or per play is
   rebuilt by the date of the first event of all of them, their home. #}

{# The play by which an event ties its session to others; null for most events. #}
{% macro flow_play_id() -%}
    case
        when {{ is_in_family('fct_flow_plays') }} then play_id
    end
{%- endmacro %}

{# System, environment and session with its home date, from a relation of `visits` (system_id,
   environment, session_id, flow_play_id, event_date), which may repeat. #}
{% macro home_dates(visits) -%}
    {{ return(adapter.dispatch('home_dates')(visits)) }}
{%- endmacro %}

{# The first dates of sessions spread along the plays they share until nothing changes. Few plays
   are shared, so that nearly all sessions are done with at once. #}
{% macro duckdb__home_dates(visits) -%}
    with recursive

    first_dates as (

        select
            system_id,
            environment,
            session_id,
            min(event_date) as home_date
        from {{ visits }}
        group by system_id, environment, session_id

    ),

    shared_plays as (

        select
            system_id,
            environment,
            flow_play_id
        from {{ visits }}
        where flow_play_id is not null
        group by system_id, environment, flow_play_id
        having min(session_id) <> max(session_id)

    ),

    ties as (

        select distinct
            visits.system_id,
            visits.environment,
            visits.session_id,
            visits.flow_play_id
        from {{ visits }} as visits
        inner join shared_plays
            on
                visits.system_id = shared_plays.system_id
                and visits.environment = shared_plays.environment
                and visits.flow_play_id = shared_plays.flow_play_id

    ),

    tied_homes as (

        select distinct
            ties.system_id,
            ties.environment,
            ties.session_id,
            first_dates.home_date
        from ties
        inner join first_dates
            on
                ties.system_id = first_dates.system_id
                and ties.environment = first_dates.environment
                and ties.session_id = first_dates.session_id

    ),

    spread_homes (system_id, environment, session_id, home_date)
        using key (system_id, environment, session_id) as (

        select * from tied_homes

        union

        select
            ties.system_id,
            ties.environment,
            ties.session_id,
            min(plays.home_date) as home_date
        from (
            select
                ties.system_id,
                ties.environment,
                ties.flow_play_id,
                min(spread_homes.home_date) as home_date
            from spread_homes
            inner join ties
                on
                    spread_homes.system_id = ties.system_id
                    and spread_homes.environment = ties.environment
                    and spread_homes.session_id = ties.session_id
            group by ties.system_id, ties.environment, ties.flow_play_id
        ) as plays
        inner join ties
            on
                plays.system_id = ties.system_id
                and plays.environment = ties.environment
                and plays.flow_play_id = ties.flow_play_id
        inner join recurring.spread_homes as known
            on
                ties.system_id = known.system_id
                and ties.environment = known.environment
                and ties.session_id = known.session_id
        where plays.home_date < known.home_date
        group by ties.system_id, ties.environment, ties.session_id

    )

    select
        first_dates.system_id,
        first_dates.environment,
        first_dates.session_id,
        coalesce(spread_homes.home_date, first_dates.home_date) as home_date
    from first_dates
    left join spread_homes
        on
            first_dates.system_id = spread_homes.system_id
            and first_dates.environment = spread_homes.environment
            and first_dates.session_id = spread_homes.session_id
{%- endmacro %}
