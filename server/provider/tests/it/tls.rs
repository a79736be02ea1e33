//! Encryption over a real connection: a server whose certificate nobody vouches for is told nothing.

use std::process::Command;
use std::sync::Arc;

use futures::StreamExt as _;
use kkcode_provider::endpoint::{Endpoint, Key};
use kkcode_provider::http::Http;
use kkcode_provider::remote::Remote;
use kkcode_provider::stream::{ErrorClass, Provider};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use super::server::sse;
use super::*;

/// Where the child of a test is told whom to ask.
const URL: &str = "KKCODE_TEST_TLS_URL";

struct Encrypted {
    url: String,
    /// The certificate of the authority, as text.
    authority: String,
    /// What came through the encryption.
    requests: UnboundedReceiver<String>,
}

/// Starts a server with a certificate for `localhost`, from an authority that was made for this.
async fn serve() -> Encrypted {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    let (told, requests) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 64 * 1024];
            let length = stream.read(&mut request).await.unwrap_or_default();
            request.truncate(length);
            told.send(String::from_utf8_lossy(&request).into_owned()).unwrap();
            stream.write_all(&sse(data("anthropic/text"))).await.ok();
            stream.shutdown().await.ok();
        }
    });
    Encrypted { url, authority: certificate, requests }
}

async fn ask(url: &str) -> Answer {
    let endpoint =
        Endpoint::new("p", Format::Anthropic, url).unwrap().with_key(Key::new("sk-secret"), "P_KEY");
    answer(&Remote::new(endpoint, Http::default()).stream(request()).collect().await)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let mut server = serve().await;
    match ask(&server.url).await.outcome {
        Some(Outcome::Failed(error)) => {
            assert_eq!(error.class, ErrorClass::Network, "{error}");
            assert!(error.message.contains("certificate"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(server.requests.try_recv().is_err(), "no key was sent");
}

#[tokio::test]
async fn an_authority_that_the_user_names_is_trusted() {
    let mut server = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, &server.authority).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "tls::the_users_authorities_are_read", "--ignored"])
        .env("SSL_CERT_FILE", &file)
        .env_remove("SSL_CERT_DIR")
        .env(URL, &server.url);
    let output = run(&mut child).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let request = server.requests.recv().await.unwrap();
    assert!(request.contains("x-api-key: sk-secret"), "{request}");
}

/// Runs a program without keeping the server waiting.
async fn run(command: &mut Command) -> std::process::Output {
    let child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

#[tokio::test]
#[ignore = "the child of an_authority_that_the_user_names_is_trusted"]
async fn the_users_authorities_are_read() {
    let answer = ask(&std::env::var(URL).unwrap()).await;
    assert_eq!(answer.text(), "Grüße, Wörld 🚀.", "{:?}", answer.outcome);
}
