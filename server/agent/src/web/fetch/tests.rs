use std::sync::Mutex;

use super::*;
use crate::web::server::{Server, answer};

/// A way to the network on which names have these addresses, one list for each time that one is asked for.
fn web(allowed: Allowed, answers: &[&[&str]]) -> Web {
    let parse = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect::<Vec<IpAddr>>();
    let answers = Mutex::new(answers.iter().map(parse).collect::<Vec<_>>().into_iter());
    let lookup = move |_: String| {
        let found = answers.lock().unwrap().next();
        async move { found.ok_or_else(|| io::Error::other("asked once too often")) }.boxed()
    };
    Web { allowed, lookup: Arc::new(lookup), total: TOTAL }
}

fn here() -> Web {
    web(Allowed::PrivateToo, &[])
}

async fn fetch(web: &Web, url: &str) -> Result<Page, String> {
    web.fetch(Target::parse(url, web.allowed).unwrap()).await
}

fn page(from: &str, text: &str) -> Page {
    Page::Body { from: from.to_owned(), kind: "text/plain".to_owned(), bytes: text.into() }
}

const PLAIN: &str = "content-type: text/plain\r\n";

#[tokio::test]
async fn a_page_is_fetched_without_telling_who_asks() {
    let mut server = Server::start(vec![answer("200 OK", PLAIN, "hello")]).await;
    let url = server.url("/a?b=c");
    assert_eq!(fetch(&here(), &url).await.unwrap(), page(&url, "hello"));
    let request = server.requests.recv().await.unwrap();
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    for secret in ["cookie", "authorization", "referer"] {
        assert!(!request.to_lowercase().contains(secret), "{request}");
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let mut server = Server::start(vec![answer("200 OK", PLAIN, "inside")]).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["8.8.8.8", "127.0.0.1"],
        &["169.254.169.254"],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1"],
    ] {
        let url = format!("http://public.example:{}/", server.address.port());
        let error = fetch(&web(Allowed::Public, &[addresses]), &url).await.unwrap_err();
        assert!(error.contains("is not fetched from"), "{addresses:?}: {error}");
    }
    assert!(server.requests.try_recv().is_err(), "nobody was asked");
}

#[tokio::test]
async fn b30_what_is_connected_to_is_what_was_judged() {
    let server = Server::start(vec![answer("200 OK", PLAIN, "once")]).await;
    let url = format!("http://rebound.example:{}/", server.address.port());
    // A second question would be answered otherwise; nobody asks it.
    let web = web(Allowed::PrivateToo, &[&["127.0.0.1"], &["169.254.169.254"]]);
    assert_eq!(fetch(&web, &url).await.unwrap(), page(&url, "once"));
    // And asked anew it is judged anew.
    let error = fetch(&web, &url).await.unwrap_err();
    assert!(error.contains("metadata"), "{error}");
}

#[tokio::test]
async fn redirects_are_judged_one_by_one() {
    let to = |location: &str| answer("302 Found", &format!("location: {location}\r\n"), "");
    let server = Server::start(vec![to("/b"), to("c"), answer("200 OK", PLAIN, "there")]).await;
    assert_eq!(fetch(&here(), &server.url("/a")).await.unwrap(), page(&server.url("/c"), "there"));

    let server = Server::start(vec![
        to("http://169.254.169.254/latest/"),
        to("file:///etc/passwd"),
        to("//[::ffff:7f00:1]/"),
    ])
    .await;
    for part in ["metadata", "only http and https", "no address of the public internet"] {
        let error = fetch(&here(), &server.url("/")).await.unwrap_err();
        assert!(error.contains("is not followed") && error.contains(part), "{error}");
    }

    let server = Server::start(vec![to("https://elsewhere.example/x")]).await;
    let expected = Page::Elsewhere("https://elsewhere.example/x".to_owned());
    assert_eq!(fetch(&here(), &server.url("/")).await, Ok(expected), "another server is another question");

    let server = Server::start(vec![to("/again"); 10]).await;
    let error = fetch(&here(), &server.url("/")).await.unwrap_err();
    assert!(error.contains("redirects again"), "{error}");
}

#[tokio::test]
async fn what_is_too_large_too_late_or_refused_is_said() {
    let bomb = {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![b'a'; MOST + 1]).unwrap();
        answer("200 OK", "content-type: text/plain\r\ncontent-encoding: gzip\r\n", packed.finish().unwrap())
    };
    let cut = [
        answer("200 OK", PLAIN, "")
            .strip_suffix(b"content-length: 0\r\ncontent-type: text/plain\r\n\r\n")
            .unwrap(),
        b"content-length: 9\r\n\r\nhalf",
    ]
    .concat();
    for (sent, part) in [
        (answer("200 OK", PLAIN, vec![b'a'; MOST + 1]), "larger than 5 MiB"),
        (bomb, "larger than 5 MiB"),
        (answer("200 OK", "content-encoding: br\r\n", "x"), "packed as"),
        (answer("404 Not Found", PLAIN, "secret"), "answered 404 Not Found"),
        (answer("304 Not Modified", "", ""), "answered 304"),
        (cut, "broke off"),
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), "cannot be reached"),
    ] {
        let server = Server::start(vec![sent]).await;
        let error = fetch(&here(), &server.url("/")).await.unwrap_err();
        assert!(error.contains(part), "{part}: {error}");
    }
    let silent = Server::start(Vec::new()).await;
    let web = Web { total: Duration::from_millis(50), ..here() };
    let error = fetch(&web, &silent.url("/")).await.unwrap_err();
    assert!(error.contains("did not answer within 0.05 s"), "{error}");
}
