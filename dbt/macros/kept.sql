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

{#- Those whose rows may stand. A column of the reader cannot be meant by accident: the subquery is
    closed. -#}
{% macro unmoved(relation) -%}
    (select fingerprinted.learner_key from {{ relation }} as fingerprinted where not fingerprinted.is_moved)
{%- endmacro %}

{#- Whether the rows of a learner are to be made; where the whole table is, everybody's. Rows of
    nobody are always among them. -#}
{% macro is_moved(fingerprinted, learner_key) -%}
    {%- if this is not none and is_incremental() -%}
    coalesce({{ learner_key }}, '') not in {{ unmoved(ref(fingerprinted)) }}
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#- Hook before a kept table: who moved or is gone has no rows there. -#}
{% macro drop_moved(fingerprinted) -%}
    {%- if this is not none and is_incremental() -%}
    delete from {{ this }} where coalesce(learner_key, '') not in {{ unmoved(ref(fingerprinted)) }}
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
        select {{ hash_text(list_join(list_agg("table_name || ':' || content", order_by='table_name'), ' ')) }}
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
