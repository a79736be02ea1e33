use super::*;

fn endpoint(base_url: &str) -> Result<Endpoint, ProviderError> {
    Endpoint::new("p", Format::OpenaiChat, base_url)
}

#[test]
fn only_this_machine_is_reached_unencrypted() {
    for (base, url) in [
        ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
        (
            "https://api.example.com/v1/?api-version=1",
            "https://api.example.com/v1/chat/completions?api-version=1",
        ),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/chat/completions"),
        ("http://127.1.2.3", "http://127.1.2.3/chat/completions"),
        ("http://[::1]:1/v1", "http://[::1]:1/v1/chat/completions"),
        ("http://LOCALHOST:1/", "http://localhost:1/chat/completions"),
    ] {
        assert_eq!(endpoint(base).unwrap().url().as_str(), url, "{base}");
    }
    for base in [
        "http://api.example.com/v1",
        "http://192.168.1.2:11434",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:11434",
        "ftp://127.0.0.1",
        "api.example.com",
        "",
    ] {
        let error = endpoint(base).unwrap_err();
        assert_eq!(error.class, ErrorClass::Configuration, "{base}");
        assert!(
            error.message.starts_with(&format!("provider `p`: `base_url` is {base}, which is")),
            "{}",
            error.message
        );
    }
    let secret = endpoint("https://me:hunter2@example.com").unwrap_err();
    assert!(!secret.message.contains("hunter2"));
}

#[test]
fn a_key_is_sent_as_the_format_has_it_and_shown_nowhere() {
    for (format, name, value) in
        [(Format::Anthropic, "x-api-key", "sk-1"), (Format::Ollama, "authorization", "Bearer sk-1")]
    {
        let endpoint = Endpoint::new("p", format, "https://example.com").unwrap();
        let endpoint =
            endpoint.with_key(Key::new(" sk-1\n"), "P_KEY").with_header("x-mine", "token-2").unwrap();
        let headers = endpoint.headers().unwrap();
        assert_eq!(headers[name], value);
        assert_eq!(headers["x-mine"], "token-2");
        let shown = format!("{endpoint:?} {headers:?}");
        assert!(!shown.contains("sk-1") && !shown.contains("token-2"), "{shown}");
    }
}

#[test]
fn an_echoed_key_is_taken_out_of_the_message() {
    let endpoint = endpoint("https://example.com").unwrap().with_key(Key::new("sk-1"), "P_KEY");
    let error = endpoint.explain(ProviderError::new(ErrorClass::Auth, "bad key sk-1!"));
    assert_eq!(error.message, "p: bad key [key]!; the key came from P_KEY");
}

#[test]
fn what_is_no_header_is_refused() {
    let endpoint = endpoint("https://example.com").unwrap();
    let error = endpoint.clone().with_header("x y", "1").unwrap_err();
    assert_eq!(error.message, "provider `p`: the header `x y` cannot be sent");
    let error = endpoint.with_key(Key::new("a\nb"), "P_KEY").headers().unwrap_err();
    assert_eq!(error.message, "provider `p`: the key from P_KEY has characters that no key has");
}
