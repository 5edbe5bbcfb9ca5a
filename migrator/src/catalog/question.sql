-- Everything a catalog holds, as one document, seen at one moment. It is read from pg_catalog, since
-- information_schema hides what the role that asks does not own.
begin isolation level repeatable read read only;
-- Only pg_catalog is looked into, and names inside of expressions come out qualified.
set local search_path = '';

with
-- Schemas of people; the rest is the server's own.
place as (
    select n.oid, n.nspname as name
    from pg_namespace as n
    where n.nspname not like 'pg\_%' and n.nspname <> 'information_schema'
),
-- Objects that came with an extension.
extended as (
    select d.classid, d.objid
    from pg_depend as d
    where d.deptype = 'e'
),
-- What a column, an argument or a field can be of. An array is told by its element.
named as materialized (
    select
        t.oid,
        jsonb_build_object(
            'schema', n.nspname, 'name', element.typname, 'array', t.oid <> element.oid
        ) as type
    from pg_type as t
    join pg_type as element
        on element.oid = case
            when t.typelem <> 0 and t.typtype <> 'd' and t.typsubscript = 'array_subscript_handler'::regproc
                then t.typelem
            else t.oid
        end
    join pg_namespace as n on n.oid = element.typnamespace
),
-- The names of a relation's columns, by number.
column_list as (
    select
        k.oid,
        jsonb_agg(a.attname order by k.place) as names
    from (
        select c.oid, c.conrelid as relation, u.number, u.place
        from pg_constraint as c, unnest(c.conkey) with ordinality as u (number, place)
        where c.contype in ('p', 'u', 'f')
    ) as k
    join pg_attribute as a on a.attrelid = k.relation and a.attnum = k.number
    group by k.oid
),
target_list as (
    select
        k.oid,
        jsonb_agg(a.attname order by k.place) as names
    from (
        select c.oid, c.confrelid as relation, u.number, u.place
        from pg_constraint as c, unnest(c.confkey) with ordinality as u (number, place)
        where c.contype = 'f'
    ) as k
    join pg_attribute as a on a.attrelid = k.relation and a.attnum = k.number
    group by k.oid
),
-- Columns of tables and views, and fields of composite types.
columns as (
    select
        a.attrelid as relation,
        jsonb_agg(
            jsonb_build_object(
                'name', a.attname,
                'type', named.type,
                'not_null', a.attnotnull,
                'default', a.atthasdef and a.attgenerated = '',
                'fill', case
                    when a.attgenerated <> '' or a.attidentity = 'a' then 'always'
                    when a.attidentity = 'd' then 'by_default'
                    else 'never'
                end,
                'comment', col_description(a.attrelid, a.attnum)
            )
            order by a.attnum
        ) as list
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
    join place on place.oid = c.relnamespace
    join named on named.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped
    group by a.attrelid
),
keys as (
    select
        c.conrelid as relation,
        jsonb_agg(
            jsonb_build_object('name', c.conname, 'columns', column_list.names)
        ) filter (where c.contype = 'p') -> 0 -> 'columns' as primary_key,
        jsonb_agg(
            jsonb_build_object('name', c.conname, 'columns', column_list.names)
        ) filter (where c.contype = 'u') as uniques
    from pg_constraint as c
    join column_list on column_list.oid = c.oid
    where c.contype in ('p', 'u')
    group by c.conrelid
),
-- A key to or from a partitioned table repeats itself for each partition; those have a parent.
foreign_keys as (
    select
        c.conrelid as relation,
        jsonb_agg(
            jsonb_build_object(
                'name', c.conname,
                'columns', column_list.names,
                'schema', n.nspname,
                'table', target.relname,
                'target', target_list.names
            )
        ) as list
    from pg_constraint as c
    join column_list on column_list.oid = c.oid
    join target_list on target_list.oid = c.oid
    join pg_class as target on target.oid = c.confrelid
    join pg_namespace as n on n.oid = target.relnamespace
    where c.contype = 'f' and c.conparentid = 0
    group by c.conrelid
),
relations as (
    select
        jsonb_build_object(
            'schema', place.name,
            'name', c.relname,
            'kind', case c.relkind
                when 'v' then 'view' when 'm' then 'materialized_view' when 'f' then 'foreign' else 'table'
            end,
            'comment', obj_description(c.oid, 'pg_class'),
            'columns', coalesce(columns.list, '[]'),
            'key', coalesce(keys.primary_key, '[]'),
            'uniques', coalesce(keys.uniques, '[]'),
            'references', coalesce(foreign_keys.list, '[]'),
            -- 8 is the bit of insert and 4 that of update: a foreign server may allow neither.
            'insertable', c.relkind in ('r', 'p')
                or c.relkind = 'f' and pg_relation_is_updatable(c.oid, false) & 8 <> 0,
            'updatable', c.relkind in ('r', 'p')
                or c.relkind = 'f' and pg_relation_is_updatable(c.oid, false) & 4 <> 0,
            'extension', extended.objid is not null
        ) as item
    from pg_class as c
    join place on place.oid = c.relnamespace
    left join columns on columns.relation = c.oid
    left join keys on keys.relation = c.oid
    left join foreign_keys on foreign_keys.relation = c.oid
    left join extended on extended.classid = 'pg_class'::regclass and extended.objid = c.oid
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
),
types as (
    select
        t.oid,
        t.typtype as kind,
        t.typrelid as relation,
        jsonb_build_object(
            'schema', place.name,
            'name', t.typname,
            'comment', obj_description(t.oid, 'pg_type'),
            'extension', extended.objid is not null
        ) as item
    from pg_type as t
    join place on place.oid = t.typnamespace
    left join extended on extended.classid = 'pg_type'::regclass and extended.objid = t.oid
),
enums as (
    select types.item || jsonb_build_object(
        'labels', coalesce(
            (
                select jsonb_agg(e.enumlabel order by e.enumsortorder)
                from pg_enum as e
                where e.enumtypid = types.oid
            ),
            '[]'
        )
    ) as item
    from types
    where types.kind = 'e'
),
domains as (
    select types.item || jsonb_build_object(
        'base', named.type,
        'not_null', t.typnotnull,
        'default', t.typdefault is not null,
        'checks', coalesce(
            (
                select jsonb_agg(
                    pg_get_constraintdef(c.oid) order by c.conname collate "C"
                )
                from pg_constraint as c
                where c.contypid = t.oid and c.contype = 'c'
            ),
            '[]'
        )
    ) as item
    from types
    join pg_type as t on t.oid = types.oid
    join named on named.oid = t.typbasetype
    where types.kind = 'd'
),
composites as (
    select types.item || jsonb_build_object('fields', coalesce(columns.list, '[]')) as item
    from types
    join pg_class as c on c.oid = types.relation and c.relkind = 'c'
    left join columns on columns.relation = c.oid
    where types.kind = 'c'
),
ranges as (
    select types.item || jsonb_build_object('of', named.type) as item
    from types
    join pg_range as r on r.rngtypid = types.oid
    join named on named.oid = r.rngsubtype
    where types.kind = 'r'
),
arguments as (
    select
        p.oid,
        jsonb_agg(
            jsonb_build_object(
                'name', coalesce(a.name, ''),
                'type', named.type,
                'way', case coalesce(a.mode, 'i')
                    when 'i' then 'in' when 'b' then 'in_out' when 'v' then 'variadic' else 'out'
                end,
                'default', a.input and a.inputs > p.pronargs - p.pronargdefaults
            )
            order by a.place
        ) as list
    from pg_proc as p
    cross join lateral (
        select
            u.type,
            u.mode,
            u.name,
            u.place,
            coalesce(u.mode, 'i') in ('i', 'b', 'v') as input,
            count(*) filter (where coalesce(u.mode, 'i') in ('i', 'b', 'v'))
                over (order by u.place) as inputs
        from unnest(
            coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes, p.proargnames
        ) with ordinality as u (type, mode, name, place)
    ) as a
    join place on place.oid = p.pronamespace
    join named on named.oid = a.type
    group by p.oid
),
functions as (
    select jsonb_build_object(
        'schema', place.name,
        'name', p.proname,
        'comment', obj_description(p.oid, 'pg_proc'),
        'arguments', coalesce(arguments.list, '[]'),
        'returns', named.type,
        'set', p.proretset,
        'reads', p.provolatile <> 'v',
        'extension', extended.objid is not null
    ) as item
    from pg_proc as p
    join place on place.oid = p.pronamespace
    join named on named.oid = p.prorettype
    left join arguments on arguments.oid = p.oid
    left join extended on extended.classid = 'pg_proc'::regclass and extended.objid = p.oid
    where
        p.prokind = 'f'
        -- Not what PostgreSQL made itself, such as the constructors of a range type.
        and not exists (
            select from pg_depend as d
            where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i'
        )
)
select jsonb_build_object(
    'schemas', coalesce((select jsonb_agg(place.name) from place), '[]'),
    'relations', coalesce((select jsonb_agg(relations.item) from relations), '[]'),
    'enums', coalesce((select jsonb_agg(enums.item) from enums), '[]'),
    'domains', coalesce((select jsonb_agg(domains.item) from domains), '[]'),
    'composites', coalesce((select jsonb_agg(composites.item) from composites), '[]'),
    'ranges', coalesce((select jsonb_agg(ranges.item) from ranges), '[]'),
    'functions', coalesce((select jsonb_agg(functions.item) from functions), '[]')
)::text;

commit;
