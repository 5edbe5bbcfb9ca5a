//! A database with the bootstrap takes the migrations of hosted projects as they are.

use sqlx::{Connection, Executor, PgConnection};
use supabase_stack::bootstrap::{self, Installed};
use supabase_stack::postgres::Role;

use crate::database::{Database, server};

/// Statements as they are found in the migrations of real projects, in the order they were run.
const ORDINARY: &str = r#"
create extension if not exists "uuid-ossp" with schema extensions;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_trgm;
create extension citext with schema extensions;
create extension btree_gist;
create extension if not exists moddatetime schema extensions;

create table public.profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    token uuid default extensions.uuid_generate_v4(),
    name citext
);
alter table public.profiles enable row level security;
create policy "own profile" on public.profiles for select to authenticated using ((select auth.uid()) = id);
revoke all on public.profiles from anon;
grant select on public.profiles to anon, authenticated;

create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    insert into public.profiles (id, name) values (new.id, new.raw_user_meta_data ->> 'name');
    return new;
end $$;
create trigger on_auth_user_created after insert on auth.users
for each row execute procedure public.handle_new_user();

alter table public.profiles add column updated_at timestamptz;
create trigger touched before update on public.profiles
for each row execute procedure extensions.moddatetime (updated_at);

insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true);
create policy "own folder" on storage.objects for insert to authenticated
with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = auth.uid()::text);
alter table storage.objects enable row level security;

create policy "own topic" on realtime.messages for select to authenticated
using (realtime.topic() = auth.uid()::text);
alter publication supabase_realtime add table public.profiles;
alter table public.profiles replica identity full;

create schema private;
create role reporter nologin;
grant reporter to authenticator;
grant usage on schema private to reporter;
alter role authenticator set pgrst.db_max_rows = '100';
alter default privileges in schema private grant select on tables to reporter;
alter default privileges for role postgres in schema public revoke execute on functions from public;
comment on schema public is 'mine';
notify pgrst, 'reload schema';
set local role authenticated;
select set_config('request.jwt.claims', '{"sub": "00000000-0000-0000-0000-000000000001"}', true);
select * from public.profiles;
reset role;
"#;

#[tokio::test]
async fn an_ordinary_projects_migrations_run_unchanged() {
    let database = Database::new().await;
    let mut connection = database.connect(Role::Postgres).await;
    let mut transaction = connection.begin().await.unwrap();
    transaction.execute(ORDINARY).await.unwrap();
    transaction.rollback().await.unwrap(); // a role would outlive its database
}

async fn ask(connection: &mut PgConnection, question: &str) -> Option<String> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(question.to_owned())).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn the_auth_functions_read_the_claims_of_the_request() {
    let database = Database::new().await;
    let mut connection = database.connect(Role::Authenticator).await;
    let questions = ["auth.uid()::text", "auth.role()", "auth.email()", "auth.jwt() ->> 'sub'"];
    let mut check = async |settings: &[(&str, &str)], expected: [Option<&str>; 4]| {
        let mut transaction = connection.begin().await.unwrap();
        transaction.execute("set local role anon").await.unwrap();
        for (name, value) in settings {
            let set = sqlx::query("select set_config($1, $2, true)").bind(*name).bind(*value);
            set.execute(&mut *transaction).await.unwrap();
        }
        for (question, expected) in questions.iter().zip(expected) {
            let answer = ask(&mut transaction, &format!("select {question}")).await;
            assert_eq!(answer.as_deref(), expected, "{question}");
        }
    };
    let id = "00000000-0000-0000-0000-00000000000a";
    let claims = format!(r#"{{"sub": "{id}", "role": "authenticated", "email": "a@b.c"}}"#);
    check(&[], [None; 4]).await;
    check(&[("request.jwt.claims", "")], [None; 4]).await;
    check(&[("request.jwt.claims", &claims)], [Some(id), Some("authenticated"), Some("a@b.c"), Some(id)])
        .await;
    let older =
        [("request.jwt.claim.sub", id), ("request.jwt.claim.role", "anon"), ("request.jwt.claim.email", "e")];
    check(&older, [Some(id), Some("anon"), Some("e"), None]).await;
}

#[tokio::test]
async fn roles_may_do_what_they_may_hosted() {
    let database = Database::new().await;
    let mut connection = database.connect(Role::Postgres).await;
    let rights = [
        ("select rolsuper from pg_roles where rolname = 'postgres'", false),
        (
            "select rolbypassrls and rolcreatedb and rolcreaterole and rolreplication from pg_roles where rolname = 'postgres'",
            true,
        ),
        ("select rolbypassrls from pg_roles where rolname = 'service_role'", true),
        ("select rolinherit from pg_roles where rolname = 'authenticator'", false),
        ("select has_schema_privilege('anon', 'auth', 'usage')", true),
        ("select has_table_privilege('anon', 'auth.users', 'select')", false),
        ("select has_table_privilege('authenticated', 'auth.users', 'select')", false),
        ("select has_table_privilege('postgres', 'auth.users', 'trigger')", true),
        ("select has_schema_privilege('anon', 'public', 'create')", false),
        ("select has_schema_privilege('postgres', 'public', 'create')", true),
        (
            "select bool_and(rowsecurity) from pg_tables where schemaname in ('auth', 'storage', 'realtime')",
            true,
        ),
        ("select count(*) = 0 from pg_publication_tables where pubname = 'supabase_realtime'", true),
    ];
    for (question, expected) in rights {
        let answer: bool = sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap();
        assert_eq!(answer, expected, "{question}");
    }
    let timeouts =
        "select string_agg(rolname || ' ' || array_to_string(rolconfig, ','), '; ' order by rolname)
                    from pg_roles where rolname in ('anon', 'authenticated', 'authenticator')";
    assert_eq!(
        ask(&mut connection, timeouts).await.as_deref(),
        Some(
            "anon statement_timeout=3s; authenticated statement_timeout=8s; \
             authenticator statement_timeout=8s,lock_timeout=8s"
        )
    );
}

#[tokio::test]
async fn a_new_table_is_open_to_the_api_and_a_new_file_is_not() {
    let database = Database::new().await;
    let mut connection = database.connect(Role::Postgres).await;
    connection.execute("create table t (n serial); insert into storage.buckets (id, name) values ('b', 'b'); insert into storage.objects (bucket_id, name) values ('b', 'ana/cats/tom.tar.gz')").await.unwrap();
    for role in ["anon", "authenticated", "service_role"] {
        let mut transaction = connection.begin().await.unwrap();
        transaction.execute(sqlx::AssertSqlSafe(format!("set local role {role}"))).await.unwrap();
        transaction.execute("insert into public.t default values").await.unwrap();
        let seen: i64 = sqlx::query_scalar("select count(*) from storage.objects")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(seen, i64::from(role == "service_role"), "{role}");
    }
    let parts: (Vec<String>, String, String, Vec<String>) = sqlx::query_as(
        "select storage.foldername(name), storage.filename(name), storage.extension(name), path_tokens from storage.objects",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(parts.0, ["ana", "cats"]);
    assert_eq!((parts.1.as_str(), parts.2.as_str()), ("tom.tar.gz", "gz"));
    assert_eq!(parts.3, ["ana", "cats", "tom.tar.gz"]);
}

#[tokio::test]
async fn a_change_can_be_broadcast_by_a_trigger() {
    let database = Database::new().await;
    let mut connection = database.connect(Role::Postgres).await;
    connection
        .execute(
            "create table t (n int);
             create function tell() returns trigger language plpgsql as $$ begin
                 perform realtime.broadcast_changes('room', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
                 return null;
             end $$;
             create trigger tell after insert on t for each row execute function tell();
             insert into t values (7);",
        )
        .await
        .unwrap();
    let told: (String, String, i32) =
        sqlx::query_as("select topic, event, (payload -> 'record' ->> 'n')::int from realtime.messages")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(told, ("room".to_owned(), "INSERT".to_owned(), 7));
}

#[tokio::test]
async fn the_bootstrap_is_installed_once_in_each_database() {
    server().create_database("second", None).await.unwrap();
    assert_eq!(bootstrap::install(server(), "second").await.unwrap(), Installed::Fresh);
    assert_eq!(bootstrap::install(server(), "second").await.unwrap(), Installed::Before);
    let mut connection = PgConnection::connect(&server().url(Role::Admin, "second")).await.unwrap();
    connection.execute("comment on schema auth is 'supabase-stack of yesterday'").await.unwrap();
    assert_eq!(bootstrap::install(server(), "second").await.unwrap(), Installed::OtherEdition);
    server().drop_database("second").await.unwrap(); // although we are still connected
}

#[tokio::test]
async fn nobody_gets_in_without_a_password() {
    for role in [Role::Admin, Role::Postgres, Role::Authenticator] {
        let url = server().url(role, "postgres");
        let (start, rest) = url.rsplit_once('@').unwrap();
        let user = &start[..start.rfind(':').unwrap()];
        for guess in ["", ":", ":postgres", ":wrong"] {
            let error = PgConnection::connect(&format!("{user}{guess}@{rest}")).await.unwrap_err();
            let code = error.as_database_error().map(|error| error.code().unwrap().into_owned());
            assert!(code.is_none_or(|code| code == "28P01"), "{role:?}{guess}");
        }
    }
}
