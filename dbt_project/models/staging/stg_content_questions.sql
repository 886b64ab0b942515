with

source as (

    select * from {{ source('raw', 'content_items') }}

),

content_questions as (

    select
        coalesce(source.system_id, 'unknown') as system_id,
        source.item_id as survey_item_id,
        source.item_type as survey_item_type,
        question.question_id,
        question.name as question_name,
        question.kind as question_kind
    from source
    {{ unnested('source.questions', 'question') }}

)

select * from content_questions
