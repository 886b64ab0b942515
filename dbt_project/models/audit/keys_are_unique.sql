with

looked_at as (

    select
        cast(null as date) as event_date,
        cast(null as string) as system_id,
        cast(null as string) as session_id,
        cast(null as string) as item_id,
        cast(null as string) as event_key,
        table_name || ': ' || copies || ' rows with ' || key_values as detail,
        copies > 1 as is_violation,
        keys
    from {{ ref('int_published_keys') }}

)

{{ invariant_result('keys_are_unique', looked_at='looked_at', rows_behind='keys') }}
