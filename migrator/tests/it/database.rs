//! The way to a database: what goes over it in clear, and whom we believe at its other end.
//!
//! The server is a script: it speaks as much of PostgreSQL as it takes to let somebody in.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use migrator::database::Database;
use migrator::exit::{self, Failure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const SSL_REQUEST: u32 = 80_877_103;
/// AuthenticationOk, and ReadyForQuery.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const NOT_WELCOME: &[u8] = b"E\0\0\0\x2bSFATAL\0C28P01\0Mwrong password for zoe\0\0";

/// An authority that vouches for servers.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    /// A server with a certificate in this name.
    fn server(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate: CertificateDer<'static> =
            params.signed_by(&key, &self.issuer).expect("a certificate").into();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a key that fits");
        TlsAcceptor::from(Arc::new(config))
    }

    /// The file `sslrootcert` names.
    fn file(&self, folder: &Path) -> String {
        let file = folder.join("root.pem");
        std::fs::write(&file, self.issuer.pem()).expect("a file");
        file.display().to_string()
    }
}

/// What a server saw of a client.
#[derive(Debug, PartialEq)]
enum Seen {
    /// The startup message came encrypted.
    Encrypted,
    /// It came in clear.
    Clear,
    /// It did not come.
    Nothing,
}

/// A server that lets one client in.
struct Server {
    address: SocketAddr,
    seen: JoinHandle<Seen>,
}

impl Server {
    async fn start(tls: Option<TlsAcceptor>, answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            serve(stream, tls, answer).await.unwrap_or(Seen::Nothing)
        });
        Self { address, seen }
    }

    /// Connects as somebody whose password must not show.
    async fn connect(self, query: &str) -> (Result<Database, Failure>, Seen) {
        let address = format!("postgresql://zoe:hunter2@localhost:{}/garage{query}", self.address.port());
        let connected = Database::connect(&address).await;
        if let Err(failure) = &connected {
            let text = format!("{failure:?} {} {}", failure.message, failure.help);
            assert!(!text.contains("hunter2"), "{text}");
        }
        // A client that never came would be waited for in vain.
        let seen = self.seen.await.expect("the server ends with its client");
        (connected, seen)
    }
}

async fn serve(mut stream: TcpStream, tls: Option<TlsAcceptor>, answer: &[u8]) -> std::io::Result<Seen> {
    let first = message(&mut stream).await?;
    if first != SSL_REQUEST {
        stream.write_all(answer).await?;
        return Ok(Seen::Clear);
    }
    let Some(tls) = tls else {
        stream.write_all(b"N").await?;
        message(&mut stream).await?;
        stream.write_all(answer).await?;
        return Ok(Seen::Clear);
    };
    stream.write_all(b"S").await?;
    let mut stream = tls.accept(stream).await?;
    message(&mut stream).await?;
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    Ok(Seen::Encrypted)
}

/// Reads a message without a letter before it, and says the number it begins with.
async fn message(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> std::io::Result<u32> {
    let length = stream.read_u32().await?;
    let code = stream.read_u32().await?;
    let mut rest = vec![0; usize::try_from(length).unwrap_or_default().saturating_sub(8)];
    stream.read_exact(&mut rest).await?;
    Ok(code)
}

#[tokio::test]
async fn a_connection_is_as_safe_as_its_address_asks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (Authority::new(), Authority::new());
    let root = ours.file(folder.path());
    let (here, elsewhere, stranger) =
        (ours.server("localhost"), ours.server("elsewhere.test"), theirs.server("localhost"));
    let with = |mode: &str| format!("?sslmode={mode}&sslrootcert={root}");
    let refused = |seen| (Some(exit::REFUSED), seen);
    let cases = [
        ("?sslmode=disable".to_owned(), Some(&here), (None, Seen::Clear)),
        ("".to_owned(), None, (None, Seen::Clear)),
        ("".to_owned(), Some(&stranger), (None, Seen::Encrypted)),
        ("?sslmode=require".to_owned(), None, refused(Seen::Nothing)),
        ("?sslmode=require".to_owned(), Some(&stranger), (None, Seen::Encrypted)),
        (with("require"), Some(&stranger), refused(Seen::Nothing)),
        (with("verify-ca"), Some(&elsewhere), (None, Seen::Encrypted)),
        (with("verify-ca"), Some(&stranger), refused(Seen::Nothing)),
        (with("verify-full"), Some(&here), (None, Seen::Encrypted)),
        (with("verify-full"), Some(&elsewhere), refused(Seen::Nothing)),
        (with("verify-full"), Some(&stranger), refused(Seen::Nothing)),
        (with("verify-full"), None, refused(Seen::Nothing)),
    ];
    for (query, tls, (code, expected)) in cases {
        let server = Server::start(tls.cloned(), WELCOME).await;
        let (connected, seen) = server.connect(&query).await;
        assert_eq!(connected.as_ref().err().map(|failure| failure.code), code, "{query} {connected:?}");
        assert_eq!(seen, expected, "{query}");
        let id = connected.err().map(|failure| failure.id);
        assert!(id.is_none_or(|id| id == "database.tls"), "{query} {id:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_no_is_quoted() {
    let (connected, _) = Server::start(None, NOT_WELCOME).await.connect("").await;
    let failure = connected.expect_err("it said no");
    assert_eq!((failure.code, failure.id), (exit::REFUSED, "database.refused"));
    assert!(failure.message.ends_with("refuses: wrong password for zoe"), "{}", failure.message);
}

#[tokio::test]
async fn a_server_that_does_not_answer_may_do_so_later() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let silent = format!("postgresql://zoe:hunter2@127.0.0.1:{port}/garage?connect_timeout=1");
    assert_eq!(Database::connect(&silent).await.expect_err("it is silent").code, exit::UNREACHABLE);
    drop(listener);
    let failure = Database::connect(&silent).await.expect_err("nobody listens");
    assert_eq!((failure.code, failure.id), (exit::UNREACHABLE, "database.unreachable"));
    assert!(failure.message.contains(&format!("127.0.0.1:{port}")), "{}", failure.message);
}

#[tokio::test]
async fn a_file_of_certificates_that_is_none_is_said_before_anybody_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("a file");
    for file in [empty, folder.path().join("missing.pem")] {
        let address =
            format!("postgresql://zoe@127.0.0.1:1/x?sslmode=verify-full&sslrootcert={}", file.display());
        let failure = Database::connect(&address).await.expect_err("there is no certificate");
        assert_eq!((failure.code, failure.id), (exit::USAGE, "usage.sslrootcert"));
        let said = failure.message.contains("certificate");
        assert!(said, "{}", failure.message);
    }
}
