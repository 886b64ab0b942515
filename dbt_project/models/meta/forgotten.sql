with

requests as (

    select * from {{ source('raw', 'forgotten') }}

),

final as (

    select
        request,
        person,
        system_id,
        is_removal,
        asked_at,
        dumps,
        events
    from requests

)

select * from final
