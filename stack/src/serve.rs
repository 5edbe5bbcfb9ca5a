//! One TCP port that answers HTTP, and may cut a connection instead of answering.
//!
//! A request that has arrived is carried through even if its client has gone away, as it is
//! behind a real gateway: a client that gave up does not know whether it was heard.
//!
//! The port owns its tasks. [`Port::close`] ends them, handled or not, and returns when none is
//! left.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{body::Body, http::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use postrust_server::lenient_uri::LenientStream;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long to leave a system alone that has no room for another connection.
const BREATH: Duration = Duration::from_millis(10);

/// The connection ends here and now, and whoever waits for an answer gets none.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
pub(crate) struct Cut;

/// What stands behind a port.
pub(crate) trait Answer: Send + Sync + 'static {
    /// Answers one request, or cuts the connection it came on.
    fn answer(&self, request: Request<Body>) -> impl Future<Output = Result<Response, Cut>> + Send;
}

/// A port that is taken but not yet answered: who comes now, waits.
#[derive(Debug)]
pub(crate) struct Socket {
    address: SocketAddr,
    listener: TcpListener,
}

/// An open port.
#[derive(Debug)]
pub(crate) struct Port {
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Socket {
    /// Listens on `address`; port 0 takes any that is free.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// The address it has.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets a service answer.
    pub(crate) fn serve(self, service: Arc<impl Answer>) -> Port {
        let port = Port { tasks: TaskTracker::new(), closing: CancellationToken::new() };
        port.tasks.spawn(accept(self.listener, service, port.tasks.clone(), port.closing.clone()));
        port
    }
}

impl Port {
    /// Ends every connection and waits until nothing runs any more.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

async fn accept(
    listener: TcpListener,
    service: Arc<impl Answer>,
    tasks: TaskTracker,
    closing: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closing.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = converse(stream, service.clone(), tasks.clone(), closing.clone());
                tasks.spawn(closing.clone().run_until_cancelled_owned(connection));
            }
            // The client hung up in the queue, or we are out of file descriptors, whose return
            // nothing announces: neither is a reason to stop listening.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn converse(
    stream: TcpStream,
    service: Arc<impl Answer>,
    tasks: TaskTracker,
    closing: CancellationToken,
) {
    // Answers are small and awaited: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let handle = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        let answer = async move { service.answer(request.map(Body::new)).await };
        let answer = tasks.spawn(closing.clone().run_until_cancelled_owned(answer));
        // A task that was stopped, or panicked, has no answer to give.
        async move { answer.await.ok().flatten().unwrap_or(Err(Cut)) }
    });
    // Ends with an error whenever a connection was cut, by us or by the client: nothing to tell.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(LenientStream::new(stream)), handle)
        .with_upgrades()
        .await;
}

/// A service that always answers.
pub(crate) fn certain(answer: Result<Response, Infallible>) -> Response {
    match answer {
        Ok(response) => response,
    }
}
