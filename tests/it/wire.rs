//! A wire to PostgreSQL that breaks once, at a byte or at a word. What the API's wire does is the stack's to
//! break: see its `faults.rs`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// When it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// When a connection has carried so many bytes to the server.
    Sent(u64),
    /// When a connection has carried so many bytes from the server.
    Received(u64),
    /// When the server has begun to answer what holds these words: it is done, and nobody hears of it.
    Answered(&'static str),
}

/// How it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// That connection is cut.
    Cut,
    /// Every connection is.
    CutAll,
    /// Nothing passes for a while, and then that connection is cut.
    Stall(Duration),
    /// Nothing passes for a while.
    Delay(Duration),
}

/// The wire. It ends with this value.
pub(crate) struct Wire {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    server: String,
    broken: Mutex<Option<(When, How)>>,
    /// The most bytes any connection has carried each way.
    busiest: Mutex<(u64, u64)>,
    cut: Notify,
}

impl Wire {
    /// A wire to the server of an address such as `postgresql://user:password@host:port/name`.
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            server: host(url).to_owned(),
            broken: Mutex::default(),
            busiest: Mutex::default(),
            cut: Notify::new(),
        });
        let carrying = state.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let state = carrying.clone();
                connections.spawn(async move {
                    tokio::select! {
                        () = state.carry(client) => {}
                        () = state.cut.notified() => {}
                    }
                });
            }
        });
        Self { address, state, task }
    }

    /// The address that goes over this wire.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(host(url), &self.address.to_string(), 1)
    }

    /// Has it break; once.
    pub(crate) fn will_break(&self, when: When, how: How) {
        *self.state.broken.lock().unwrap() = Some((when, how));
    }

    /// True if it has broken since it was told to.
    pub(crate) fn has_broken(&self) -> bool {
        self.state.broken.lock().unwrap().is_none()
    }

    /// The most bytes that one connection has carried to the server, and from it, since this was last asked.
    pub(crate) fn busiest(&self) -> (u64, u64) {
        std::mem::take(&mut self.state.busiest.lock().unwrap())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The host and the port.
fn host(url: &str) -> &str {
    url.split(['@', '/']).nth(3).unwrap()
}

impl State {
    async fn carry(&self, mut client: TcpStream) {
        let Ok(mut server) = TcpStream::connect(&self.server).await else { return };
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let (mut up, mut down) = (vec![0; 1 << 14], vec![0; 1 << 14]);
        let (mut sent, mut received, mut heard) = (0, 0, false);
        loop {
            let (length, upwards) = tokio::select! {
                read = client.read(&mut up) => (read.unwrap_or(0), true),
                read = server.read(&mut down) => (read.unwrap_or(0), false),
            };
            if length == 0 {
                return;
            }
            let piece = if upwards { &up[..length] } else { &down[..length] };
            let carried = if upwards { &mut sent } else { &mut received };
            let passes = self.passes(*carried, piece, upwards, &mut heard);
            *carried += length as u64;
            {
                let mut busiest = self.busiest.lock().unwrap();
                *busiest = (busiest.0.max(sent), busiest.1.max(received));
            }
            let (piece, rest) = piece.split_at(passes.unwrap_or(length));
            let other = if upwards { &mut server } else { &mut client };
            if other.write_all(piece).await.is_err() {
                return;
            }
            if passes.is_none() {
                continue;
            }
            let Some((_, how)) = self.broken.lock().unwrap().take() else { return };
            match how {
                How::Cut => return,
                How::CutAll => return self.cut.notify_waiters(),
                How::Stall(time) => return linger(time).await,
                How::Delay(time) => {
                    linger(time).await;
                    if other.write_all(rest).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// How many bytes of a piece pass before the wire breaks; none when it does not.
    fn passes(&self, carried: u64, piece: &[u8], upwards: bool, heard: &mut bool) -> Option<usize> {
        let broken = *self.broken.lock().unwrap();
        let within = |at: u64| {
            let left = usize::try_from(at.saturating_sub(carried)).unwrap();
            (left <= piece.len()).then_some(left)
        };
        match (broken?.0, upwards) {
            (When::Sent(at), true) | (When::Received(at), false) => within(at),
            (When::Answered(words), true) => {
                *heard |= piece.windows(words.len()).any(|piece| piece == words.as_bytes());
                None
            }
            (When::Answered(_), false) => heard.then_some(0),
            (When::Sent(_), false) | (When::Received(_), true) => None,
        }
    }
}

/// Lets time pass: a slow wire is what this is for, and nothing waits for it.
async fn linger(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
