use super::*;

/// addresses that lead where nobody should be led, and what is said of them.
const REFUSED: &str = include_str!("refused.txt");

#[test]
fn x05_what_leads_inside_is_refused() {
    let lines: Vec<&str> = REFUSED.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= 60, "there are {}", lines.len());
    for line in lines {
        let (url, why) = line.split_once(" | ").unwrap();
        let url = url.replace("\\t", "\t").replace("\\0", "\0");
        let error = Target::parse(&url, Allowed::Public).expect_err(&url);
        assert!(error.contains(why), "{url}: {error}");
    }
}

#[test]
fn what_hands_out_keys_is_refused_whatever_the_user_allows() {
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://metadata.google.internal/",
        "http://[fd00:ec2::254]/",
    ] {
        Target::parse(url, Allowed::PrivateToo).expect_err(url);
    }
    for url in ["http://127.0.0.1:8080/", "http://localhost/", "http://app.localhost/"] {
        Target::parse(url, Allowed::PrivateToo).unwrap();
    }
}

#[test]
fn public_addresses_are_taken() {
    for (url, expected) in [
        ("https://example.com", "https://example.com/"),
        (" https://example.com/a?b=c#d ", "https://example.com/a?b=c#d"),
        ("http://8.8.8.8:8080/", "http://8.8.8.8:8080/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://notmetadata.goog.example/", "https://notmetadata.goog.example/"),
    ] {
        assert_eq!(Target::parse(url, Allowed::Public).unwrap().to_string(), expected);
    }
}

#[test]
fn a_redirect_is_judged_like_an_address() {
    let from = Target::parse("https://example.com/a/b", Allowed::Public).unwrap();
    let to = |location: &str| from.redirect(location, Allowed::Public).map(|to| to.to_string());
    assert_eq!(to("../c").unwrap(), "https://example.com/c");
    assert_eq!(to("//example.org/").unwrap(), "https://example.org/");
    for location in
        ["http://example.com/", "http://169.254.169.254/", "//127.0.0.1", "file:///etc/passwd", "//0x7f.1"]
    {
        to(location).expect_err(location);
    }
}
