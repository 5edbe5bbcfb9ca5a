//! News of a table and of a topic: whoever may know hears of it once, whoever may not hears nothing, and a
//! connection that breaks loses nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::realtime::{Binding, Broadcast, Change, Live, LiveChange, Payload, Presence, Status};
use supabase_sdk::rest::col;
use supabase_sdk::{Client, ErrorKind, Table};
use uuid::Uuid;

use crate::project::{Person, Project};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "customers")]
struct Customer {
    #[table(key)]
    id: Uuid,
    workspace_id: Uuid,
    last_name: Option<String>,
    #[table(default)]
    updated_at: String,
}

/// What is waited for comes, or the test says what did not.
async fn soon<T>(what: &str, coming: impl Future<Output = T>) -> T {
    within(Duration::from_secs(30), what, coming).await
}

async fn within<T>(limit: Duration, what: &str, coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(limit, coming).await.unwrap_or_else(|_| panic!("{what} did not come in time"))
}

/// The garage a person has from the day they signed up.
async fn garage(person: &Person) -> Uuid {
    let rows = person.client.from("workspaces").select("id").filter(col("kind").eq("garage")).fetch().await;
    rows.unwrap()[0]["id"].as_str().unwrap().parse().unwrap()
}

async fn add(client: &Client, workspace: Uuid, name: &str) -> Uuid {
    let id = Uuid::new_v4();
    let row = json!({ "id": id, "workspace_id": workspace, "last_name": name });
    client.from("customers").insert(&row).send().await.unwrap();
    id
}

/// The name of the row that the next change is about.
async fn next_name(changes: &mut supabase_sdk::realtime::Changes<Customer>) -> String {
    match soon("a change", changes.next()).await.unwrap().unwrap() {
        Change::Inserted { row, .. } | Change::Updated { row, .. } => row.last_name.unwrap(),
        Change::Deleted { old, .. } => format!("gone {}", old.get(Customer::ID).unwrap().unwrap()),
        Change::Gap(gap) => format!("gap: {gap}"),
    }
}

#[tokio::test]
async fn a_change_reaches_whoever_may_see_the_row_and_nobody_else() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let (ours, theirs) = (garage(&owner).await, garage(&stranger).await);
    let mut listeners = Vec::new();
    for person in [&owner, &stranger] {
        let mut channel = person.client.channel("news");
        let changes = channel.on_changes(Binding::<Customer>::all());
        listeners.push((channel.subscribe().await.unwrap(), changes));
    }
    let mut filtered = owner.client.channel("some news");
    let mut only =
        filtered.on_changes(Binding::<Customer>::inserts().filter(Customer::LAST_NAME.eq("Zoé, \"2\"")));
    let _filtered = filtered.subscribe().await.unwrap();
    // Written by another way than the one that is listened to, and then over it.
    let id = Uuid::new_v4();
    project
        .database()
        .await
        .execute(
            "insert into customers (id, workspace_id, owner_id, last_name) values ($1, $2, $3, 'Nº 1')",
            &[&id, &ours, &owner.id],
        )
        .await
        .unwrap();
    assert_eq!(next_name(&mut listeners[0].1).await, "Nº 1");
    let second = add(&owner.client, ours, "Zoé, \"2\"").await;
    assert_eq!(next_name(&mut listeners[0].1).await, "Zoé, \"2\"");
    assert_eq!(next_name(&mut only).await, "Zoé, \"2\"");
    // The stranger's next is their own: nothing came before it.
    add(&stranger.client, theirs, "the stranger's").await;
    assert_eq!(next_name(&mut listeners[1].1).await, "the stranger's");
    owner.client.from("customers").delete().filter(col("id").eq(second)).send().await.unwrap();
    assert_eq!(next_name(&mut listeners[0].1).await, format!("gone {second}"));
}

#[tokio::test]
async fn a_private_topic_lets_in_whom_its_policies_name() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let topic = format!("workspace:{}", garage(&owner).await);
    let refused = stranger.client.channel(&topic).private().subscribe().await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Forbidden, Some("Unauthorized")));
    // Two devices of one person.
    let phone = project.anonymous();
    phone.auth().sign_in_with_password(&owner.email, &owner.password).await.unwrap();
    let mut there = phone.channel(&topic).private().replication_ready().presence_key("phone");
    let (mut heard, mut seen) = (there.on_broadcast("*"), there.on_presence());
    let there = there.subscribe().await.unwrap();
    let here = owner.client.channel(&topic).private().broadcast_ack().presence_key("desk");
    let here = here.subscribe().await.unwrap();
    here.send("moved", &json!({ "to": "Réparé", "id": 9_007_199_254_740_993_u64 })).await.unwrap();
    here.send_bytes("picture", vec![0_u8, 255, 7]).await.unwrap();
    here.http_send("late", &json!({ "over": "HTTP" })).await.unwrap();
    let next = async |heard: &mut supabase_sdk::realtime::Broadcasts| match soon("a broadcast", heard.next())
        .await
    {
        Some(Broadcast::Message(message)) => message,
        other => panic!("{other:?}"),
    };
    let message = next(&mut heard).await;
    assert_eq!(message.event, "moved");
    assert_eq!(message.payload.read::<Value>().unwrap()["id"], json!(9_007_199_254_740_993_u64));
    let message = next(&mut heard).await;
    assert!(matches!(&message.payload, Payload::Bytes(bytes) if bytes[..] == [0, 255, 7]), "{message:?}");
    assert_eq!(next(&mut heard).await.payload.read::<Value>().unwrap(), json!({ "over": "HTTP" }));
    // From SQL, by whoever may write there.
    let send = format!("select realtime.send('{{\"from\": \"sql\"}}'::jsonb, 'told', '{topic}', true)");
    project.database().await.batch_execute(&send).await.unwrap();
    assert_eq!(next(&mut heard).await.payload.read::<Value>().unwrap()["from"], json!("sql"));

    here.track(&json!({ "at": "the desk" })).await.unwrap();
    let joined = async {
        loop {
            if let Some(Presence::Join { key, .. }) = seen.next().await
                && key == "desk"
            {
                break;
            }
        }
    };
    soon("who joined", joined).await;
    assert_eq!(there.present()["desk"][0].read::<Value>().unwrap()["at"], json!("the desk"));
    drop(here);
    let left = async {
        loop {
            if let Some(Presence::Leave { key, .. }) = seen.next().await
                && key == "desk"
            {
                break;
            }
        }
    };
    soon("who left", left).await;
    assert!(there.present().is_empty());
}

#[tokio::test]
async fn what_ends_a_channel_from_outside_is_told_and_the_channel_comes_back() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let ours = garage(&owner).await;
    let mut channel = owner.client.channel("news");
    let mut changes = channel.on_changes(Binding::<Customer>::all());
    let channel = channel.subscribe().await.unwrap();
    for command in [
        json!({ "kind": "shutdown", "message": "the server goes down" }),
        json!({ "kind": "cut" }),
        json!({ "kind": "crash" }),
        json!({ "kind": "close", "code": 1012 }),
        json!({ "kind": "interrupt" }),
    ] {
        project.realtime(command.clone()).await;
        assert!(next_name(&mut changes).await.starts_with("gap"), "{command}");
        soon("the channel", channel.live()).await.unwrap();
        assert!(matches!(channel.status(), Status::Live), "{command}: {:?}", channel.status());
        add(&owner.client, ours, &command.to_string()).await;
        assert_eq!(next_name(&mut changes).await, command.to_string());
    }
    // A new token is a new subscription on the server: nobody knows what fell between.
    owner.client.auth().refresh().await.unwrap();
    assert!(next_name(&mut changes).await.starts_with("gap"));
    add(&owner.client, ours, "after the renewal").await;
    assert_eq!(next_name(&mut changes).await, "after the renewal");
}

/// A copy of a table as somebody sees it, kept by what a live table tells.
struct Copy {
    live: Live<Customer>,
    rows: BTreeMap<Uuid, Customer>,
    /// How many rows were told of, and how many of them were known just so.
    told: (usize, usize),
    gaps: usize,
}

impl Copy {
    async fn of(client: &Client, topic: String) -> Self {
        let channel = client.channel(topic);
        let live = client.table::<Customer>().live().by(Customer::UPDATED_AT).channel(channel);
        let live = live.subscribe().await.unwrap();
        Self { live, rows: BTreeMap::new(), told: (0, 0), gaps: 0 }
    }

    /// Takes what comes until it is as it should be.
    async fn until(&mut self, is_so: impl Fn(&BTreeMap<Uuid, Customer>) -> bool) {
        while !is_so(&self.rows) {
            match self.live.next().await.unwrap().unwrap() {
                LiveChange::Put(row) => {
                    self.told.0 += 1;
                    let known = self.rows.insert(row.id, row.clone());
                    self.told.1 += usize::from(known.is_some_and(|known| known == row));
                }
                LiveChange::Remove(old) => {
                    let id = old.get(Customer::ID).unwrap().unwrap();
                    self.rows.remove(&id);
                }
                LiveChange::Stale(_) => self.gaps += 1,
                LiveChange::Ready => {}
            }
        }
    }
}

/// Live tables of two people on connections that are cut all the while. `SOAK` says for how many seconds (three),
/// `SOAK_CHANNELS` on how many channels (eight); twenty sockets at most carry them.
#[tokio::test]
#[allow(clippy::print_stderr, reason = "who lets it soak wants to know what went through")]
async fn through_any_cut_a_live_table_ends_as_the_table_and_no_row_reaches_a_stranger() {
    let number = |name: &str, plain: u64| std::env::var(name).map_or(plain, |text| text.parse().unwrap());
    let (seconds, channels) = (number("SOAK", 3), number("SOAK_CHANNELS", 8) as usize);
    let project = Project::embedded().await;
    let people = [project.person("owner").await, project.person("other").await];
    let garages = [garage(&people[0]).await, garage(&people[1]).await];
    let sockets = channels.min(20);
    let mut clients = Vec::new();
    for socket in 0..sockets {
        let person = &people[socket % 2];
        let client = project.anonymous();
        client.auth().sign_in_with_password(&person.email, &person.password).await.unwrap();
        clients.push(client);
    }
    let mut copies = Vec::new();
    for channel in 0..channels {
        let copy = Copy::of(&clients[channel % sockets], format!("copy {channel}")).await;
        copies.push((channel % sockets % 2, copy));
    }
    // Frames come late and twice, and who joins again is at times told to wait.
    project
        .frames(json!([
            { "event": "postgres_changes", "times": 20, "skip": 10, "action": { "kind": "duplicate" } },
            { "event": "postgres_changes", "times": 10, "skip": 50, "action": { "kind": "delay", "ms": 50 } },
            { "from": "client", "event": "phx_join", "times": 5, "action": {
                "kind": "refuse", "reason": "ConnectionRateLimitReached: Too many joins per second",
            } },
        ]))
        .await;
    // Both write, and every now and then all connections end.
    let end = Instant::now() + Duration::from_secs(seconds);
    let writing = people.iter().zip(garages).map(|(person, workspace)| async move {
        let (mut ids, mut turn) = (Vec::new(), 0_usize);
        while Instant::now() < end {
            turn += 1;
            ids.push(add(&person.client, workspace, &format!("{turn}")).await);
            let one = ids[turn * 7 % ids.len()];
            let change = json!({ "last_name": format!("changed in turn {turn}") });
            let customers = || person.client.from("customers");
            customers().update(&change).filter(col("id").eq(one)).send().await.unwrap();
            if turn % 5 == 0 {
                let gone = ids.swap_remove(turn * 3 % ids.len());
                customers().delete().filter(col("id").eq(gone)).send().await.unwrap();
            }
        }
        turn
    });
    let cutting = async {
        let mut cuts = 0;
        // As often as a write of our own takes: nothing else sets the pace.
        while Instant::now() < end {
            let kind = ["cut", "interrupt", "crash"][cuts % 3];
            project.realtime(json!({ "kind": kind })).await;
            cuts += 1;
            for _ in 0..40 {
                people[0].client.from("workspaces").select("id").limit(1).fetch().await.unwrap();
            }
        }
        cuts
    };
    let reading = async {
        let rest = copies.iter_mut().map(|(_, copy)| async {
            // What comes while it is written; the marks of the end are waited for below.
            let _ = tokio::time::timeout_at(end.into(), copy.until(|_| false)).await;
        });
        futures_util::future::join_all(rest).await;
    };
    let (turns, cuts, ()) = tokio::join!(futures_util::future::join_all(writing), cutting, reading);
    // The last word of each, and the table as it is then.
    let mut tables = Vec::new();
    for (person, workspace) in people.iter().zip(garages) {
        add(&person.client, workspace, "the end").await;
        let rows = person.client.table::<Customer>().select().fetch_all().await.unwrap();
        tables.push(rows.into_iter().map(|row| (row.id, row)).collect::<BTreeMap<_, _>>());
    }
    let (mut told, mut twice, mut gaps) = (0, 0, 0);
    for (whose, copy) in &mut copies {
        let table = &tables[*whose];
        // Whoever soaks for long has a server that is behind.
        let limit = Duration::from_secs(30 + seconds);
        within(limit, "the table as it is", copy.until(|rows| rows == table)).await;
        assert!(copy.rows.values().all(|row| row.workspace_id == garages[*whose]), "a stranger's row");
        (told, twice, gaps) = (told + copy.told.0, twice + copy.told.1, gaps + copy.gaps);
    }
    let rows: usize = tables.iter().map(BTreeMap::len).sum();
    eprintln!(
        "{channels} live tables on {sockets} sockets: {turns:?} turns of writing, {cuts} cuts, {rows} rows at the end; \
         {told} told, {twice} of them twice, {gaps} gaps"
    );
    assert_eq!(twice, 0, "a row is told once for each of its states");
}
