//! What the core may not make itself: new names and the present time.

use std::time::{SystemTime, UNIX_EPOCH};

use kkcode_core::proposal::Timestamp;

/// Digits of a name: no vowels, so that no name is a word; no look-alikes.
const DIGITS: [char; 26] = [
    'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'z', '3', '4',
    '5', '6', '7', '8', '9',
];

/// Returns a new name: the prefix, `_` and 14 random digits (65 bits). Fails when the system has no random numbers.
pub(crate) fn name(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 14];
    getrandom::fill(&mut bytes)?;
    let digits = bytes.iter().filter_map(|byte| DIGITS.get(usize::from(*byte) % DIGITS.len()));
    Ok(format!("{prefix}_{}", digits.collect::<String>()))
}

/// Returns the present time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn names_are_new() {
        let names: BTreeSet<String> = (0..10_000).map(|_| super::name("turn").unwrap()).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == 19 && name.starts_with("turn_")));
    }
}
