//! The realtime service of one project: channels over a WebSocket, and changes out of PostgreSQL's log.
//!
//! What a subscriber may see is asked in the database, as their role with their claims, so the policies
//! decide: those of a table for its changes, those on `realtime.messages` for private channels. It is asked
//! when a change is sent on: whoever lost a row since, or whose row is gone, does not hear of it. The
//! changes are read by logical decoding, so a row written by any means arrives, if its table is in the
//! publication `supabase_realtime`.
//!
//! What it does not imitate:
//!
//! - limits by rate (events, joins, bytes and users of a project), but for how often a client says
//!   something of itself; a frame fault answers a join as any limit would;
//! - the settings of a project: private channels only, and other limits than the default ones;
//! - the older form of a join, whose topic names a table;
//! - broadcasts kept because they came over HTTP or a socket: only what the database sends is replayed;
//! - the partitions of `realtime.messages`, and their end after three days;
//! - the end of a socket that has no channel for ten minutes.
//!
//! And where it differs without a word: a token that is pushed counts at once, however many are; a
//! subscription to a whole schema has its new tables as soon as they are published; the stream runs while a
//! channel is joined and ten seconds longer, and begins anew half a second after it broke.
//!
//! As in the newest hosted version, a deletion reaches a subscription with a filter if what identifies the
//! row has the column, and row-level security cuts the old row of a deletion to its key, but not that of an
//! update.
//!
//! Only `store` speaks SQL, only `feed` replicates, and only `socket` touches a WebSocket.

mod broadcast;
mod change;
mod channel;
mod delivery;
mod faults;
mod feed;
mod filter;
mod frame;
mod hub;
mod join;
mod pace;
mod pgoutput;
mod presence;
mod socket;
mod store;
mod subscription;
mod token;

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Extension, Query, State, ws::WebSocketUpgrade},
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

pub use faults::{Command, FrameAction, FrameRule, Side};

use crate::{jwt::Keyring, switch::Armed};
use delivery::Delivery;
use faults::FrameFaults;
use feed::Feed;
use frame::Version;
use hub::{Ending, Hub, Order};
use store::Store;

/// No frame is larger.
const LARGEST_FRAME: usize = 5_000_000;

/// The realtime service of one project.
pub(crate) struct Realtime {
    service: Arc<Service>,
    router: Router,
}

/// What every client needs.
struct Service {
    hub: Arc<Hub>,
    store: Store,
    feed: Feed,
    keyring: Keyring,
    faults: FrameFaults,
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// The token of the key somebody came with.
#[derive(Debug, Clone)]
struct KeyToken(String);

impl Realtime {
    /// Serves a database; `admin_url` is the superuser's, who may act as any role. It is left alone until
    /// somebody joins a channel.
    pub(crate) fn open(admin_url: &str, keyring: Keyring) -> anyhow::Result<Self> {
        let service = Arc::new(Service {
            hub: Arc::new(Hub::new()),
            store: Store::new(admin_url)?,
            feed: Feed::new(),
            keyring,
            faults: FrameFaults::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        });
        let delivery = Delivery { hub: service.hub.clone(), store: service.store.clone() };
        let (fed, url, closing) = (service.clone(), admin_url.to_owned(), service.closing.clone());
        service.tasks.spawn(async move { fed.feed.run(&url, &delivery, closing).await });
        Ok(Self { router: router(service.clone()), service })
    }

    /// Answers a request whose path is already without `/realtime/v1`, from somebody whose key has this
    /// token.
    pub(crate) async fn answer(&self, mut request: Request<Body>, key_token: &str) -> Response {
        request.extensions_mut().insert(KeyToken(key_token.to_owned()));
        crate::serve::certain(self.router.clone().oneshot(request).await)
    }

    /// Replaces what goes wrong with frames.
    pub(crate) fn set_faults(&self, rules: Vec<FrameRule>) {
        self.service.faults.set(rules);
    }

    /// What goes wrong with frames, and how often it did.
    pub(crate) fn faults(&self) -> Vec<Armed<FrameRule>> {
        self.service.faults.list()
    }

    /// Does something to everybody who is connected.
    pub(crate) fn command(&self, command: Command) {
        let hub = &self.service.hub;
        match command {
            Command::Cut => hub.order_all(&Order::End(Ending::Cut)),
            Command::Close { code, reason } => hub.order_all(&Order::End(Ending::Close { code, reason })),
            Command::Shutdown { topic, message } => hub.order_all(&Order::Dismiss { topic, reason: message }),
            Command::Crash { topic } => hub.order_all(&Order::Crash { topic }),
            Command::Interrupt => self.service.feed.interrupt(),
        }
    }

    /// Ends every connection, and returns when nothing streams from the database any more.
    pub(crate) async fn close(&self) {
        let Service { store, feed, tasks, closing, .. } = &*self.service;
        closing.cancel();
        tasks.close();
        tasks.wait().await;
        if feed.has_run() {
            // A database that is away has no streams either.
            let _ = store.end_streams().await;
        }
        store.close().await;
    }
}

impl Drop for Realtime {
    fn drop(&mut self) {
        self.service.closing.cancel();
    }
}

impl fmt::Debug for Realtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Realtime(..)")
    }
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/websocket", get(connect))
        .route("/api/broadcast", post(broadcast::many))
        .route("/api/broadcast/{topic}/events/{event}", post(broadcast::one))
        .layer(DefaultBodyLimit::disable())
        .with_state(service)
}

async fn connect(
    State(service): State<Arc<Service>>,
    Extension(KeyToken(token)): Extension<KeyToken>,
    Query(asked): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(version) = Version::of(asked.get("vsn").map(String::as_str)) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let tasks = service.tasks.clone();
    upgrade
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        .on_upgrade(move |wire| tasks.track_future(socket::converse(service, wire, version, token)))
}
