use super::*;

#[track_caller]
fn check_status(status: u16, body: &str, class: ErrorClass, message: &str) {
    let error = of_status(status, body);
    assert_eq!((error.class, error.message.as_str()), (class, message));
}

#[test]
fn the_status_decides_and_the_servers_words_are_kept() {
    use ErrorClass::{Auth, BadRequest, ContextTooLong, Overloaded, Protocol, RateLimit};
    for (status, body, class, message) in [
        (
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            Auth,
            "the server answered 401: invalid x-api-key",
        ),
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","code":"invalid_request_error"}}"#,
            Auth,
            "the server answered 402: Insufficient Balance",
        ),
        (403, "", Auth, "the server answered 403: an empty body"),
        (
            404,
            r#"{"error":"model 'x' not found"}"#,
            BadRequest,
            "the server answered 404: model 'x' not found",
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"Bad thing","status":"INVALID_ARGUMENT"}}]"#,
            BadRequest,
            "the server answered 400: Bad thing",
        ),
        (
            422,
            r#"{"detail":[{"loc":["body"]}]}"#,
            BadRequest,
            r#"the server answered 422: [{"loc":["body"]}]"#,
        ),
        (413, "<html>Too big</html>", ContextTooLong, "the server answered 413: <html>Too big</html>"),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#,
            ContextTooLong,
            "the server answered 400: This model's maximum context length is 8192 tokens.",
        ),
        (
            429,
            r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#,
            RateLimit,
            "the server answered 429: slow down",
        ),
        (
            429,
            r#"{"error":{"message":"pay first","code":"insufficient_quota"}}"#,
            Auth,
            "the server answered 429: pay first",
        ),
        (408, "{}", Overloaded, "the server answered 408: {}"),
        (409, "", Overloaded, "the server answered 409: an empty body"),
        (500, "oops", Overloaded, "the server answered 500: oops"),
        (
            503,
            "<html>\n  <title>503</title>\n</html>",
            Overloaded,
            "the server answered 503: <html> <title>503</title> </html>",
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Overloaded,
            "the server answered 529: Overloaded",
        ),
        (304, "", Protocol, "the server answered 304: an empty body"),
    ] {
        check_status(status, body, class, message);
    }
}

#[test]
fn an_error_in_a_stream_is_read_in_each_shape() {
    for (frame, class) in [
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, ErrorClass::Overloaded),
        (r#"{"error":{"message":"m","code":429}}"#, ErrorClass::RateLimit),
        (r#"{"error":{"message":"m","type":"throttling_error"}}"#, ErrorClass::RateLimit),
        (r#"{"error":{"message":"m","type":"authentication_error"}}"#, ErrorClass::Auth),
        (r#"{"error":{"message":"m","type":"invalid_request_error"}}"#, ErrorClass::BadRequest),
        (r#"{"type":"error","code":"server_error","message":"m","param":null}"#, ErrorClass::Overloaded),
        (
            r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"m"}}}"#,
            ErrorClass::RateLimit,
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":"context_length_exceeded","message":"m"}}}"#,
            ErrorClass::ContextTooLong,
        ),
        (r#"{"error":"m"}"#, ErrorClass::Overloaded),
    ] {
        let error = of_frame(&serde_json::from_str(frame).unwrap());
        assert_eq!(error.class, class, "{frame}");
        let message = error.message.as_str();
        assert_eq!(message, "the server broke off its answer: m", "{frame}");
    }
    assert_eq!(of_frame(&serde_json::json!({"odd": 1})).message, r#"the server sent {"odd":1}"#);
}

#[test]
fn long_bodies_are_cut() {
    let error = of_status(500, &"ü".repeat(5000));
    assert_eq!(error.message.chars().count(), "the server answered 500: ".len() + SHOWN + 1);
}
