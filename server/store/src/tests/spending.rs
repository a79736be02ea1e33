//! What requests have used, summed up.

use super::*;
use crate::{Spending, Spent};

fn usage(input_tokens: u64, cost_micro_usd: u64) -> Usage {
    Usage { input_tokens, cost_micro_usd, ..Usage::default() }
}

fn spent(store: &Store, since: i64) -> Spent {
    let (sender, answer) = std::sync::mpsc::channel();
    store.spent(TurnId::new("t1"), SessionId::new("s1"), Timestamp(since), move |spent| {
        sender.send(spent).unwrap();
    });
    answer.recv().unwrap().unwrap()
}

#[test]
fn what_was_used_is_summed_up_by_turn_session_and_day_over_processes() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().to_owned());
    assert_eq!(spent(&store, 0), Spent::default());
    for (turn, session, at, usage) in [
        ("t1", "s1", 10, usage(1, 100)),
        ("t1", "s1", 20, usage(2, 200)),
        ("t2", "s1", 30, Usage { cache_read_tokens: 7, unpriced: true, ..usage(4, 0) }),
        ("t3", "s2", 40, usage(8, 800)),
    ] {
        let (sender, done) = std::sync::mpsc::channel();
        let (turn, session) = (TurnId::new(turn), SessionId::new(session));
        let spending = Spending { turn, session, model: "p/m".into(), at: Timestamp(at), usage };
        store.spend(spending, move |result| sender.send(result).unwrap());
        done.recv().unwrap().unwrap();
    }
    let other = Store::new(home.path().to_owned());
    let sums = spent(&other, 20);
    assert_eq!(sums.turn, usage(3, 300));
    assert_eq!(sums.session, Usage { cache_read_tokens: 7, unpriced: true, ..usage(7, 300) });
    assert_eq!(sums.since, Usage { cache_read_tokens: 7, unpriced: true, ..usage(14, 1000) });
}
