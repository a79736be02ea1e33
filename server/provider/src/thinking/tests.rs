use super::*;

fn told(model: &str, thinking: Option<Thinking>, effort: Option<&str>) -> String {
    let settings = Settings { thinking, effort: effort.map(str::to_owned), ..Settings::default() };
    let Plan { thinking, output, .. } = plan(model, &settings, 16_384);
    let thinking = thinking.map(|thinking| {
        let budget = thinking.get("budget_tokens").map(|budget| format!(" {budget}")).unwrap_or_default();
        format!("{}{budget}", thinking["type"].as_str().unwrap())
    });
    let effort = output.map(|output| output["effort"].as_str().unwrap().to_owned());
    [thinking, effort].map(|word| word.unwrap_or_else(|| "-".to_owned())).join(", ")
}

#[test]
fn the_table_is_read() {
    assert!(MODELS.len() > 20);
    for (model, takes) in MODELS.iter() {
        let ranks: Vec<usize> = takes
            .efforts
            .iter()
            .map(|word| EFFORTS.iter().position(|known| known == word).unwrap())
            .collect();
        assert!(ranks.is_sorted(), "{model}: {ranks:?}");
        assert!(!takes.on || takes.adaptive, "{model}: what thinks unasked decides itself how much");
    }
}

#[test]
fn a_budget_goes_to_models_that_take_one_and_the_others_decide_themselves() {
    for (model, expected) in [
        ("claude-3-5-haiku-latest", "-, -"),
        ("claude-3-7-sonnet-20250219", "enabled 4000, -"),
        ("claude-haiku-4-5-20251001", "enabled 4000, -"),
        ("claude-sonnet-4-6", "enabled 4000, -"),
        ("claude-opus-4-7", "adaptive, -"),
        ("claude-opus-5-5", "adaptive, -"),
        ("claude-sonnet-9", "adaptive, -"),
        ("anthropic/claude-opus-4.8", "adaptive, -"),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "enabled 4000, -"),
        ("glm-5.1", "enabled 4000, -"),
    ] {
        assert_eq!(told(model, Some(Thinking::Budget(4000)), None), expected, "{model}");
    }
}

#[test]
fn to_decide_itself_is_a_budget_where_that_is_not_taken() {
    for (model, expected) in [
        ("claude-opus-4-5", "enabled 10000, -"),
        ("claude-opus-4-6", "adaptive, -"),
        ("kimi", "enabled 10000, -"),
    ] {
        assert_eq!(told(model, Some(Thinking::Adaptive), None), expected, "{model}");
    }
}

#[test]
fn an_effort_is_said_in_the_models_own_words() {
    for (model, effort, expected) in [
        ("claude-opus-5-5", "xhigh", "adaptive, xhigh"),
        ("claude-opus-4-6", "xhigh", "adaptive, high"),
        ("claude-opus-4-5", "max", "-, high"),
        ("claude-sonnet-5", "minimal", "adaptive, low"),
        ("claude-haiku-4-5", "medium", "enabled 5734, -"),
        ("claude-haiku-4-5", "low", "enabled 2457, -"),
        ("glm-5.1", "max", "enabled 13926, -"),
        ("claude-opus-5", "ultra", "adaptive, ultra"),
    ] {
        assert_eq!(told(model, None, Some(effort)), expected, "{model}");
    }
}

#[test]
fn thinking_is_switched_off_where_that_can_be() {
    for (model, expected) in [
        ("claude-opus-4-5", "-, -"),
        ("claude-sonnet-5", "disabled, -"),
        ("claude-sonnet-5-5", "between_tools, -"),
        ("claude-opus-5-5", "-, -"),
        ("claude-fable-5-1", "-, -"),
    ] {
        assert_eq!(told(model, Some(Thinking::Off), None), expected, "{model}");
        assert_eq!(told(model, None, Some("off")), expected, "{model}");
    }
    assert_eq!(told("claude-opus-5", Some(Thinking::Off), Some("max")), "disabled, high");
}

#[test]
fn what_a_model_thinks_unasked_is_told() {
    assert_eq!(told("claude-opus-5-5", None, None), "adaptive, -");
    assert_eq!(told("claude-sonnet-4-5", None, None), "-, -");
}
