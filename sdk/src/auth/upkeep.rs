//! Edge: renews the session while nobody asks for anything.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::client::Client;

/// How often the session is looked at. It is due much longer before its end: see
/// [`crate::auth::Session::MARGIN`]. Short enough for a machine that slept.
const TICK: Duration = Duration::from_secs(30);

/// Keeps the session fresh until it is dropped. From [`crate::auth::Auth::auto_refresh`].
#[derive(Debug)]
#[must_use = "the session is kept fresh until this is dropped"]
pub struct AutoRefresh {
    _stop: oneshot::Sender<()>,
}

impl AutoRefresh {
    pub(super) fn start(client: Client) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        tokio::spawn(async move {
            // A renewal that is under way is ended, not cut: what it brings has to be kept.
            while tokio::time::timeout(TICK, &mut stopped).await.is_err() {
                if let Err(error) = client.auth().session().await {
                    tracing::debug!(%error, "the session could not be renewed; it is tried again");
                }
            }
        });
        Self { _stop: stop }
    }
}
