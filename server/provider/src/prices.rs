//! What tokens cost: a table that is data, and the sum for one request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::stream::Usage;

/// The table that is used where the user gives no other: the makers' list prices of November 2026, without what some of them
/// add for very long prompts.
const BUILT_IN: &str = include_str!("prices.json");

/// What a million tokens of a model cost, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens sent.
    pub input: f64,
    /// Tokens received.
    pub output: f64,
    /// Tokens that the provider had in its cache; as those sent if it says nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Tokens that the provider put into its cache; as those sent if it says nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
}

/// The prices of models, by the beginnings of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    /// Returns the table that comes with the program.
    pub fn built_in() -> Self {
        serde_json::from_str(BUILT_IN).unwrap_or_default()
    }

    /// Puts the user's own prices over these, name by name.
    #[must_use]
    pub fn with(mut self, own: Self) -> Self {
        self.0.extend(own.0);
        self
    }

    /// Returns the price of a model, by the longest name in the table with which its own begins; none if it is not known.
    ///
    /// `provider/model` goes before the model's own name, so that the same model can cost something else elsewhere; what
    /// stands before a slash in a model's name is left out only if the whole is not known.
    pub fn of(&self, provider: &str, model: &str) -> Option<&Price> {
        let full = format!("{provider}/{model}");
        let names =
            std::iter::successors(Some(full.as_str()), |name| name.split_once('/').map(|(_, rest)| rest));
        names.map(|name| self.longest(name)).find(Option::is_some).flatten()
    }

    fn longest(&self, model: &str) -> Option<&Price> {
        let begins = |name: &str| model.strip_prefix(name).is_some_and(|rest| !is_later_version(name, rest));
        let known = self.0.iter().filter(|(name, _)| begins(name));
        known.max_by_key(|(name, _)| name.len()).map(|(_, price)| price)
    }
}

/// Tells whether a model's name goes on with more of its version: `gpt-5.4` is no `gpt-5`, and costs something else.
fn is_later_version(name: &str, rest: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mut rest = rest.chars();
    digit(name.chars().last()) && rest.next() == Some('.') && digit(rest.next())
}

impl Price {
    /// Returns what these tokens cost, in US dollars.
    pub fn cost(&self, usage: Usage) -> f64 {
        let Usage { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = usage;
        let sum = [
            (input_tokens, self.input),
            (output_tokens, self.output),
            (cache_read_tokens, self.cache_read.unwrap_or(self.input)),
            (cache_write_tokens, self.cache_write.unwrap_or(self.input)),
        ];
        #[expect(clippy::cast_precision_loss, reason = "no request has 2^52 tokens")]
        sum.into_iter().map(|(tokens, price)| tokens as f64 * price / 1e6).sum()
    }
}

#[cfg(test)]
mod tests;
