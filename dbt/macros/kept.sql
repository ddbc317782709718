{#-
    Kept tables: those that hold rows by learner, and of which a build makes anew only the rows of
    learners that moved; docs/decisions/0033 tells more. A scope is a set of kept tables with one model
    of fingerprints. A kept model is incremental, names that model in `kept_by` and in its pre-hook
    `drop_moved`, and reads nobody but those for whom `is_moved` holds. In unit tests, where there is
    no table to keep, nothing of this counts.
-#}

{#- The model of fingerprints that must be there first. -#}
{% macro kept_by(fingerprinted) -%}
    {{ ref(fingerprinted) if this is not none else 'nothing' }}
{%- endmacro %}

{#- The columns of a model of fingerprints; `fingerprinted` has a learner and a fingerprint. -#}
{% macro compared_with_kept(scope, fingerprinted) -%}
    select
        ---------- ids
        '{{ scope }}' as scope,
        fingerprinted.learner_key,
        ---------- text
        fingerprinted.fingerprint,
        ---------- yes or no
        kept.learner_key is null as is_moved
    from {{ fingerprinted }} as fingerprinted
    left join {{ ref('stg_kept_learner') }} as kept
        on
            kept.scope = '{{ scope }}'
            and fingerprinted.learner_key = kept.learner_key
            and fingerprinted.fingerprint = kept.fingerprint
{%- endmacro %}

{#- What the rows of some relations come to by learner, whatever their order: a learner and a content. -#}
{% macro content_by_learner(relations) -%}
    select
        learner_key,
        {{ set_hash('row_hash') }} as content
    from (
        {% for relation in relations -%}
        select
            entry.learner_key,
            {{ row_hash('entry') }} as row_hash
        from {{ relation }} as entry
        {% if not loop.last %}union all {% endif %}
        {%- endfor %}
    ) as hashed
    group by learner_key
{%- endmacro %}

{#- The fingerprints of a scope that rests on all that the portfolio rests on, and on the content of some
    relations: another content moves everybody. -#}
{% macro portfolio_with(relations) -%}
    select
        portfolio.learner_key,
        {{ hash_text("portfolio.fingerprint || ' ' || shared.content") }} as fingerprint
    from {{ ref('int_portfolio__fingerprinted') }} as portfolio
    cross join (select {{ content_hash(relations) }} as content) as shared
{%- endmacro %}

{#- The fingerprints of a scope in which learners without evidence have rows too: all that the portfolio
    rests on, the content of what learners share, and what relations with a learner and a content say of
    each. The code is here again, for learners whom the portfolio does not know. -#}
{% macro portfolio_and_own(shared, own) -%}
    select
        learners.learner_key,
        {{ hash_text(
            "coalesce(portfolio.fingerprint, '') || ' ' || shared.content || ' ' || coalesce("
            ~ own | join(".content, '') || ' ' || coalesce(") ~ ".content, '')"
        ) }} as fingerprint
    from (
        select learner_key from {{ ref('int_portfolio__fingerprinted') }}
        {%- for relation in own %}
        union
        select learner_key from {{ relation }}
        {%- endfor %}
    ) as learners
    cross join (
        select
            build.code_version || ' ' || {{ engine_version() }} || ' '
            || {{ content_hash(shared) }} as content
        from {{ ref('stg_build_input') }} as build
    ) as shared
    left join {{ ref('int_portfolio__fingerprinted') }} as portfolio
        on learners.learner_key = portfolio.learner_key
    {%- for relation in own %}
    left join {{ relation }} on learners.learner_key = {{ relation }}.learner_key
    {%- endfor %}
{%- endmacro %}

{#- Those whose rows may stand: who is no learner any more is not among them. A column of the reader
    cannot be meant by accident: the subquery is closed. -#}
{% macro unmoved(relation) -%}
    (select fingerprinted.learner_key from {{ relation }} as fingerprinted where not fingerprinted.is_moved)
{%- endmacro %}

{#- Whether a row is of a learner who moved, or of nobody. Whoever has rows has a fingerprint; the few
    who moved are found in less than half the time that it takes to leave out all others. -#}
{% macro is_of_moved(relation, learner_key) -%}
    coalesce({{ learner_key }}, '') in (
        select fingerprinted.learner_key from {{ relation }} as fingerprinted
        where fingerprinted.is_moved and fingerprinted.learner_key is not null
        union all
        select ''
    )
{%- endmacro %}

{#- Whether the rows of a learner are to be made; where the whole table is, everybody's. -#}
{% macro is_moved(fingerprinted, learner_key) -%}
    {%- if this is none -%}
    true
    {%- else -%}
    {{ is_in_share(learner_key) }}
    {%- if is_incremental() %}
        and {{ is_of_moved(ref(fingerprinted), learner_key) }}
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Hook before a kept table: who moved or is gone has no rows there, and those who moved are shared
    out. -#}
{% macro drop_moved(fingerprinted) -%}
    {%- if this is not none -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where coalesce(learner_key, '') not in {{ unmoved(ref(fingerprinted)) }};
    {%- endif %}
    {{ share_out(ref(fingerprinted)) }}
    {%- endif -%}
{%- endmacro %}

{#- A kept table is made for so many learners at a time that memory does not grow with a school;
    docs/decisions/0041 tells more. The engine knows how many shares there are, and which is at hand;
    who has not shared out has one share with everybody. A share is a stretch of keys: what was made
    share by share lies so too, and reading a share of it leaves the others alone. -#}
{% macro share_out(fingerprinted) -%}
    {{ adapter.dispatch('share_out', 'tessera')(fingerprinted) }}
{%- endmacro %}
{% macro default__share_out(fingerprinted) -%}
    set variable learner_shares = (
        select list(learner_key order by learner_key)
        from (
            select
                learner_key,
                row_number() over (order by learner_key) as place,
                count(*) over () as n
            from {{ fingerprinted }}
            where is_moved and learner_key is not null
        )
        where place % {{ env_var('TESSERA_LEARNERS_AT_ONCE', '10000') }} = 0 and place < n
    );
    set variable moved_learners = (
        {%- if is_incremental() %}
        select coalesce(list(learner_key), cast([] as varchar[])) from {{ fingerprinted }}
        where is_moved and learner_key is not null
        {%- else %}
        select cast(null as varchar[])
        {%- endif %}
    );
    {{ take_share(0) }}
{%- endmacro %}

{#- Take the next share: after the last key of the share before, up to the last key of its own. The
    last share has no end. -#}
{% macro take_share(share) -%}
    set variable learner_share = {{ share }};
    set variable learner_after = (select coalesce(getvariable('learner_shares')[{{ share }}], ''));
    set variable learner_up_to = (select coalesce(getvariable('learner_shares')[{{ share + 1 }}], chr(1114111)));
    set variable pseudonyms_at_hand = (
        select coalesce(list(pseudonym), cast([] as varchar[])) from raw.identity
        where
            role = 'learner'
            and {{ default__is_in_share('person_key') }}
            and (
                getvariable('moved_learners') is null
                or person_key in (select unnest(getvariable('moved_learners')))
            )
    )
{%- endmacro %}

{#- Give back the last share: whoever comes next has one share with everybody. -#}
{% macro give_back_share() -%}
    {%- set told = [
        'learner_shares', 'moved_learners', 'learner_share', 'learner_after', 'learner_up_to',
        'pseudonyms_at_hand',
    ] -%}
    {%- for name in told -%}
    reset variable {{ name }};
    {% endfor -%}
{%- endmacro %}

{#- Whether a record names a learner of the share at hand, and, where a table is kept, one who moved. Views that
    read many records leave out all others before they work out anything of them; who makes no kept
    table has everybody. -#}
{% macro names_learner_at_hand(pseudonym) -%}
    {{ adapter.dispatch('names_learner_at_hand', 'tessera')(pseudonym) }}
{%- endmacro %}
{% macro default__names_learner_at_hand(pseudonym) -%}
    (
        getvariable('pseudonyms_at_hand') is null
        or {{ pseudonym }} in (select unnest(cast(getvariable('pseudonyms_at_hand') as varchar[])))
    )
{%- endmacro %}
{% macro spark__names_learner_at_hand(pseudonym) -%} true {%- endmacro %}

{#- Whether a learner is in the share at hand; rows of nobody are in the first. The engine knows the
    ends of the share when it plans the query, so that only a plain comparison is left of this. -#}
{% macro is_in_share(learner_key) -%}
    {{ adapter.dispatch('is_in_share', 'tessera')(learner_key) }}
{%- endmacro %}
{% macro default__is_in_share(learner_key) -%}
    (
        {{ shares_in_all() }} = 1
        or (
            {{ learner_key }} > getvariable('learner_after')
            and {{ learner_key }} <= getvariable('learner_up_to')
        )
        or ({{ learner_key }} is null and getvariable('learner_share') = 0)
    )
{%- endmacro %}
{% macro shares_in_all() -%} coalesce(len(getvariable('learner_shares')), 0) + 1 {%- endmacro %}
{% macro spark__share_out(fingerprinted) -%} select 1 {%- endmacro %}
{% macro spark__is_in_share(learner_key) -%} true {%- endmacro %}

{#- How dbt makes a table: a kept one share by share. -#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {{ dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by) }}
    {%- if config.get('materialized') == 'incremental' -%}
    {%- set n_shares = run_query("select " ~ shares_in_all()).columns[0][0] | int -%}
    {%- for share in range(1, n_shares) %}
    {{ take_share(share) }};
    insert into {{ relation.include(database=(not temporary), schema=(not temporary)) }} by name (
        {{ compiled_code }}
    );
    {%- endfor %}
    {{ give_back_share() }}
    {%- endif -%}
{%- endmacro %}

{#- Hook after a model of fingerprints: from now on, until a build has ended well, nobody who moved
    counts as kept. -#}
{% macro forget_moved(scope) -%}
    delete from raw.kept_learner
    where scope = '{{ scope }}' and learner_key not in {{ unmoved(this) }}
{%- endmacro %}

{#- One name for the content of several tables. -#}
{% macro content_hash(relations) -%}
    (
        select {{ hash_text(list_join(list_agg("table_name || ':' || content", order_by=['table_name']), ' ')) }}
        from (
            {% for name, relation in relations.items() -%}
            select
                '{{ name }}' as table_name,
                {{ set_hash(row_hash('entry')) }} as content
            from {{ relation }} as entry
            {% if not loop.last -%} union all {% endif %}
            {%- endfor %}
        ) as contents
    )
{%- endmacro %}
