use super::*;

fn prices(text: &str) -> Prices {
    serde_json::from_str(text).unwrap()
}

fn input(prices: &Prices, provider: &str, model: &str) -> Option<f64> {
    prices.of(provider, model).map(|price| price.input)
}

#[test]
fn the_longest_beginning_of_a_name_counts() {
    let prices = prices(
        r#"{"gpt-5": {"input": 1, "output": 1}, "gpt-5-mini": {"input": 2, "output": 1},
            "cheap/gpt-5": {"input": 3, "output": 1}, "meta/llama": {"input": 4, "output": 1}}"#,
    );
    for (provider, model, expected) in [
        ("openai", "gpt-5", Some(1.0)),
        ("openai", "gpt-5-2026-01-01", Some(1.0)),
        ("openai", "gpt-5.1-2026-01-01", None),
        ("openai", "gpt-5-mini-2026", Some(2.0)),
        ("cheap", "gpt-5-mini", Some(3.0)),
        ("router", "meta/llama-9", Some(4.0)),
        ("router", "openai/gpt-5", Some(1.0)),
        ("router", "llama-9", None),
        ("openai", "gpt-4", None),
        ("", "", None),
    ] {
        assert_eq!(input(&prices, provider, model), expected, "{provider}/{model}");
    }
}

#[test]
fn a_users_own_prices_go_before_the_built_in_ones() {
    let built_in = Prices::built_in();
    assert_eq!(input(&built_in, "anthropic", "claude-opus-4-5-20251101"), Some(5.0));
    assert_eq!(input(&built_in, "anthropic", "claude-opus-4-1-20250805"), Some(15.0));
    assert_eq!(input(&built_in, "openrouter", "anthropic/claude-sonnet-5"), Some(2.0));
    assert_eq!(input(&built_in, "ollama", "anything"), Some(0.0));
    assert_eq!(input(&built_in, "lab", "secret-model"), None);
    let own = prices(r#"{"secret-model": {"input": 7, "output": 8}, "gpt-5": {"input": 9, "output": 9}}"#);
    let both = built_in.with(own);
    assert_eq!(input(&both, "lab", "secret-model"), Some(7.0));
    assert_eq!(input(&both, "openai", "gpt-5"), Some(9.0));
    assert_eq!(input(&both, "openai", "gpt-4o"), Some(2.5));
}

#[test]
fn cached_tokens_have_their_own_prices() {
    let usage = Usage {
        input_tokens: 1_000_000,
        output_tokens: 2_000_000,
        cache_read_tokens: 4_000_000,
        cache_write_tokens: 8_000_000,
    };
    let plain = Price { input: 1.0, output: 10.0, cache_read: None, cache_write: None };
    let cached = Price { cache_read: Some(0.25), cache_write: Some(2.0), ..plain };
    assert_eq!(format!("{}", plain.cost(usage)), "33");
    assert_eq!(format!("{}", cached.cost(usage)), "38");
}
