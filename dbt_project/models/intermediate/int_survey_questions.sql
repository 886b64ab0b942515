{{ config(
    meta={'dated_by': ['home_date']},
    unique_key='question_key',
) }}
{% set question = ['system_id', 'item_id', 'item_name_without_id'] -%}
{% set so_far = itself(
    ref('int_survey_events'),
    lacking=[
        'cast(null as string) as question_key',
        'cast(null as string) as item_name_without_id',
        'cast(null as bigint) as answers',
        'cast(null as bigint) as scores',
        'cast(null as integer) as highest_score',
        'cast(null as string) as nps_basis',
    ]
) -%}
with

answers as (

    select
        *,
        {{ name_without_id() }} as item_name_without_id,
        {{ nps_score('value') }} as score
    from {{ ref('int_survey_events') }}
    where
        {{ is_stale('home_date') }}
        and {{ is_in_family('fct_survey_answers') }}

),

content_questions as (

    select * from {{ ref('stg_content_questions') }}

),

survey_questions as (

    select * from {{ ref('survey_questions') }}

),

-- What was submitted without an answer says nothing about the question.
new_questions as (

    select
        home_date,
        system_id,
        item_id,
        item_name_without_id,
        count(value) as answers,
        count(score) as scores,
        max(score) as highest_score
    from answers
    group by home_date, system_id, item_id, item_name_without_id

),

-- The questions that new answers may change: those with some on these dates, now or before.
touched_questions as (

    select {{ question | join(', ') }}
    from new_questions

    union

    select {{ question | join(', ') }}
    from {{ so_far }} as so_far
    where {{ is_stale('home_date') }}

),

known_questions as (

    select so_far.*
    from {{ so_far }} as so_far
    inner join touched_questions
        on
            so_far.system_id = touched_questions.system_id
            and so_far.item_id is not distinct from touched_questions.item_id
            and so_far.item_name_without_id
            is not distinct from touched_questions.item_name_without_id
    where not {{ is_stale('home_date') }}

),

questions as (

    select
        home_date,
        {{ question | join(',\n        ') }},
        answers,
        scores,
        highest_score
    from new_questions

    union all

    select
        home_date,
        {{ question | join(',\n        ') }},
        answers,
        scores,
        highest_score
    from known_questions

),

-- Over all days: one answer that is no score, or none that is more than a size may be, and the
-- question is about something else.
totals as (

    select
        {{ question | join(',\n        ') }},
        sum(answers) > 0
        and sum(answers) = sum(scores)
        and max(highest_score) > {{ var('nps_told_by_above') }} as has_nps_answers
    from questions
    group by {{ question | join(', ') }}

),

-- If one line says that a question is about recommending, it is.
kinds as (

    select
        system_id,
        question_id as item_id,
        {{ name_without_id('question_id', 'question_name') }} as item_name_without_id,
        max(case when question_kind = 'nps' then 1 else 0 end) = 1 as is_nps,
        'catalogue' as basis
    from content_questions
    where survey_item_type = 'Survey' and question_kind is not null
    group by system_id, question_id, item_name_without_id

    union all

    select
        system_id,
        question_id as item_id,
        {{ name_without_id('question_id', 'name') }} as item_name_without_id,
        max(case when kind = 'nps' then 1 else 0 end) = 1 as is_nps,
        'seed' as basis
    from survey_questions
    group by system_id, question_id, item_name_without_id

),

judged as (

    select
        totals.system_id,
        totals.item_id,
        totals.item_name_without_id,
        case
            when listed.is_nps then 'catalogue'
            when not listed.is_nps then null
            when seeded.is_nps then 'seed'
            when not seeded.is_nps then null
            when totals.has_nps_answers then 'answers'
        end as nps_basis
    from totals
    left join kinds as listed
        on
            listed.basis = 'catalogue'
            and totals.system_id = listed.system_id
            and totals.item_id is not distinct from listed.item_id
            and totals.item_name_without_id is not distinct from listed.item_name_without_id
    left join kinds as seeded
        on
            seeded.basis = 'seed'
            and totals.system_id = seeded.system_id
            and totals.item_id is not distinct from seeded.item_id
            and totals.item_name_without_id is not distinct from seeded.item_name_without_id

),

with_bases as (

    select
        questions.*,
        judged.nps_basis
    from questions
    left join judged
        on
            questions.system_id = judged.system_id
            and questions.item_id is not distinct from judged.item_id
            and questions.item_name_without_id is not distinct from judged.item_name_without_id

),

keyed as (

    select
        *,
        md5({{ key_text(['home_date'] + question) }}) as question_key
    from with_bases

),

-- What is known stays as it is, unless another answer changed what the question is.
final as (

    select
        keyed.question_key,
        keyed.home_date,
        keyed.system_id,
        keyed.item_id,
        keyed.item_name_without_id,
        keyed.answers,
        keyed.scores,
        keyed.highest_score,
        keyed.nps_basis
    from keyed
    left join known_questions
        on keyed.question_key = known_questions.question_key
    where
        known_questions.question_key is null
        or keyed.nps_basis is distinct from known_questions.nps_basis

)

select * from final
