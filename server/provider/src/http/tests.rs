use reqwest::header::HeaderValue;

use super::*;

#[test]
fn the_wait_that_a_server_asks_for_is_read() {
    // Wed, 21 Oct 2015 07:00:00 GMT.
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(401_503);
    let after = |name: &'static str, value: &'static str| {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
        retry_after(&headers, now)
    };
    for (name, value, seconds) in [
        ("retry-after", "7", Some(7.0)),
        ("retry-after", " 1.5 ", Some(1.5)),
        ("retry-after-ms", "250", Some(0.25)),
        ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(28.0 * 60.0)),
        ("retry-after", "Wed, 21 Oct 2015 06:00:00 GMT", Some(0.0)),
        ("retry-after", "-3", None),
        ("retry-after", "soon", None),
        ("retry-after", "1e300", None),
        ("x-other", "1", None),
    ] {
        assert_eq!(after(name, value).map(|wait| wait.as_secs_f64()), seconds, "{name}: {value}");
    }
}

#[test]
fn nothing_is_made_before_the_first_request() {
    let http = Http::default();
    assert!(http.clients.plain.get().is_none() && http.clients.encrypted.get().is_none());
}

#[tokio::test]
async fn both_clients_can_be_made_once() {
    let http = Http::default();
    for is_plain in [true, false] {
        http.client(is_plain).await.unwrap();
        http.clone().client(is_plain).await.unwrap();
    }
    assert!(http.clients.plain.get().is_some() && http.clients.encrypted.get().is_some());
}
