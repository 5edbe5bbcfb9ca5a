-- What must be true of every table, policy and function, read from the catalogue.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create temporary view ours as
select pg_class.oid, relname::text as name, relrowsecurity
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> '_sqlx_migrations';

-- A tool's own table is nobody's business.
select is_empty($$
    select relname from pg_class where relnamespace = 'public'::regnamespace and relname = '_sqlx_migrations'
    and (not relrowsecurity or has_table_privilege('anon', oid, 'select') or has_table_privilege('authenticated', oid, 'select'))
$$, 'the list of migrations is closed to the API');

-- Tables.
select is_empty('select name from ours where not relrowsecurity', 'every table has row-level security');
select is_empty($$
    select name from ours where not exists (select from pg_policy where polrelid = ours.oid)
$$, 'every table has a policy');
select is_empty($$
    select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('m', 'f')
    or relnamespace = 'public'::regnamespace and relkind = 'v'
        and not coalesce(reloptions @> array['security_invoker=true'], false)
$$, 'every view asks with the rights of who asks');
select is_empty($$
    select name from ours where not exists (
        select from pg_index where indrelid = ours.oid and indisprimary
    )
$$, 'every table has a primary key');
select is_empty($$
    select name from ours where (
        select count(*) from pg_trigger where tgrelid = ours.oid and tgname in ('stay', 'touch', 'log')
    ) <> 3 and name not in ('history', 'product_levels', 'product_movements')
$$, 'every table keeps updated_at, identity and history, but those that are a history');

-- Grants.
select is_empty($$
    select name, privilege
    from ours, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
    where has_table_privilege('anon', oid, privilege)
$$, 'no table is granted to anonymous');
select is_empty($$
    select name, attname from ours join pg_attribute on attrelid = ours.oid and attnum > 0
    where has_column_privilege('anon', attrelid, attnum, 'select, insert, update, references')
$$, 'no column is granted to anonymous');
select is_empty($$
    select name, privilege from ours, unnest(array['truncate', 'references', 'trigger']) as privilege
    where has_table_privilege('authenticated', oid, privilege)
$$, 'nobody signed in may truncate, which policies do not see, or more than that');
select set_eq($$
    select p.oid::regprocedure::text from pg_proc p
    where pronamespace in ('public'::regnamespace, 'private'::regnamespace) and has_function_privilege('anon', oid, 'execute')
$$, array[
    'availability(uuid,timestamp with time zone,timestamp with time zone)',
    'private.availability(uuid,timestamp with time zone,timestamp with time zone)'
], 'an anonymous visitor calls what tells which times are taken, and nothing else');
select is_empty($$
    select relname from pg_class where relnamespace = 'private'::regnamespace and relkind in ('r', 'v', 'S')
    and (has_table_privilege('anon', oid, 'select, insert, update, delete')
        or has_table_privilege('authenticated', oid, 'select, insert, update, delete'))
$$, 'no table of schema private is granted to anybody');
select is_empty($$
    select proname from pg_proc where prorettype = 'trigger'::regtype
    and pronamespace in ('public'::regnamespace, 'private'::regnamespace) and has_function_privilege('authenticated', oid, 'execute')
$$, 'nobody calls what a trigger does');
select is_empty($$
    select tablename, policyname from pg_policies
    where schemaname in ('public', 'storage', 'realtime') and roles && array['public', 'anon']::name[]
$$, 'no policy lets an anonymous visitor in');

-- Functions.
select is_empty($$
    select oid::regprocedure from pg_proc
    where pronamespace in ('public'::regnamespace, 'private'::regnamespace)
        and not coalesce(proconfig @> array['search_path=""'], false)
$$, 'every function has an empty search_path');
select is_empty($$
    select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
$$, 'no function the API exposes has more rights than who calls it');

-- Policies. In the text of a policy every call stands in a sub-select, which is one call a statement,
-- but for those of immutable functions.
create temporary view policies as
select schemaname, tablename, policyname, cmd, concat_ws(' ', qual, with_check) as expression,
    format('%I.%I', schemaname, tablename)::regclass as target
from pg_policies where schemaname in ('public', 'storage', 'realtime');

select is_empty($$
    select tablename, policyname, called.oid::regprocedure
    from policies join pg_depend on classid = 'pg_policy'::regclass and refclassid = 'pg_proc'::regclass
        and objid = (select oid from pg_policy where polrelid = target and polname = policyname)
    join pg_proc as called on called.oid = refobjid
    where provolatile = 'v'
$$, 'no policy calls a volatile function');
select is_empty($$
    select tablename, policyname, expression from policies
    where regexp_replace(
        regexp_replace(expression, '\( SELECT (private|auth|realtime)\.\w+\(\)', '', 'g'),
        'FROM private\.\w+\(\)|\|\| private\.\w+\(\)|\(?private\.me\(\)\)?::text', '', 'g'
    ) ~ '(auth|private|realtime)\.\w+\('
$$, 'every call in a policy is one a statement');

-- What a policy compares is the first column of an index: the rows of a workspace or person are found,
-- not searched for.
select is_empty($$
    select tablename, policyname, matched[1]
    from policies cross join lateral regexp_matches(expression, '(?<![.\w])(\w+) = (?:ANY|\()', 'g') as matched
    where schemaname = 'public' and not (cmd = 'INSERT' and matched[1] = 'owner_id')
        and not exists (
            select from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
            where indrelid = target and attname = matched[1] and indpred is null
        )
$$, 'every policy is index-backed');
select cmp_ok((
    select count(*) from policies cross join lateral regexp_matches(expression, '(?<![.\w])(\w+) = (?:ANY|\()', 'g')
    where schemaname = 'public'
), '>=', (select count(*) from policies where schemaname = 'public'), 'and the test looked at each');
select is_empty($$
    select conrelid::regclass, conname from pg_constraint
    where contype = 'f' and connamespace in ('public'::regnamespace, 'private'::regnamespace)
        and not exists (
            select from pg_index
            where indrelid = conrelid and indpred is null
                and (indkey::smallint[])[0:cardinality(conkey) - 1] @> conkey
        )
$$, 'every foreign key is index-backed');
select is_empty($$
    select conrelid::regclass, conname from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace
        and exists (select from pg_attribute where attrelid = conrelid and attname = 'workspace_id')
        and exists (select from pg_attribute where attrelid = confrelid and attname = 'workspace_id')
        and not exists (select from pg_attribute where attrelid = conrelid and attname = 'workspace_id' and attnum = any (conkey))
$$, 'a row only points at rows of its workspace');
select is_empty($$
    select tablename, cmd, count(*) from pg_policies where schemaname = 'public' group by 1, 2 having count(*) > 1
$$, 'one policy for each thing one can do');

-- Words.
select is_empty($$
    select oid::regclass from pg_class
    where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'p', 'v')
        and relname <> '_sqlx_migrations' and obj_description(oid, 'pg_class') is null
$$, 'every table has a comment');
select is_empty($$
    select attrelid::regclass, attname from pg_attribute
    where attrelid in (
        select oid from pg_class where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        and relkind in ('r', 'p', 'v') and relname <> '_sqlx_migrations'
    ) and attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null
$$, 'every column has a comment');
select is_empty($$
    select oid::regprocedure from pg_proc
    where pronamespace in ('public'::regnamespace, 'private'::regnamespace) and obj_description(oid, 'pg_proc') is null
$$, 'every function has a comment');

-- Realtime tells of what people work with: all but the histories.
select set_eq($$
    select tablename::text from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public'
$$, $$ select name from ours where name not in ('history', 'product_movements') $$, 'every table is published, but the histories');

-- Of a removed row Realtime tells every listener the replica identity: it must say nothing.
select is_empty($$
    select relname, pg_get_indexdef(indexrelid)
    from pg_publication_tables join pg_class on pg_class.oid = format('public.%I', tablename)::regclass
    join pg_index on indrelid = pg_class.oid and indisprimary
    where pubname = 'supabase_realtime' and schemaname = 'public'
        and (relreplident <> 'd' or pg_get_indexdef(indexrelid) !~ '\(id\)$')
$$, 'what is told of a removed row is its id');

select * from finish();
rollback;
