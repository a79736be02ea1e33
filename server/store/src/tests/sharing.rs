//! Several stores on one file.

use std::collections::BTreeSet;

use super::*;

#[test]
fn two_stores_lose_none_of_their_commits() {
    let home = home();
    let stores = [store(&home), store(&home)];
    commit(&stores[0], small(Some("/w"), "/w/x"), vec![]).unwrap();
    let (sender, seqs) = channel();
    for number in 0..500 {
        if number == 1 {
            // From the second on the hunk is refused already, in whatever order the two get there.
            assert!(stores[0].flush(Duration::from_mins(1)));
        }
        let sender = sender.clone();
        let verdict = |reason: String| Verdict::Rejected { reason: Some(reason), replacement: None };
        let before = if number == 0 { Verdict::Undecided } else { verdict("before".into()) };
        let records = vec![changed_mind("p", "h", before, verdict(number.to_string()))];
        let commit = Commit { records, events: vec![changed("p")] };
        stores[number % 2].commit(commit, move |seqs| sender.send((number % 2, seqs.unwrap()[0])).unwrap());
    }
    drop(sender);
    let seqs: Vec<(usize, u64)> = seqs.iter().collect();
    let unique: BTreeSet<u64> = seqs.iter().map(|(_, seq)| *seq).collect();
    assert_eq!((seqs.len(), unique.len()), (500, 500));
    for store in 0..2 {
        let own: Vec<u64> = seqs.iter().filter(|(by, _)| *by == store).map(|(_, seq)| *seq).collect();
        assert!(own.is_sorted(), "each sees its numbers grow");
    }
    let count = |sql: &str| raw(&home).query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM event"), 500);
    assert_eq!(count("SELECT count(DISTINCT verdict) FROM decision"), 500);
}

#[test]
fn numbers_go_on_when_a_store_is_closed_and_its_events_are_deleted() {
    let home = home();
    let first = store(&home);
    assert_eq!(commit(&first, vec![], vec![changed("p"), changed("p")]), Ok(vec![1, 2]));
    close(&first);
    raw(&home).execute("DELETE FROM event", []).unwrap();
    assert_eq!(load(&first, &[]).unwrap().last_seq, 2);
    assert_eq!(commit(&store(&home), vec![], vec![changed("p")]), Ok(vec![3]));
    assert_eq!(commit(&first, vec![], vec![changed("p")]), Ok(vec![4]));
}

#[test]
fn stores_that_come_and_go_do_not_disturb_each_other() {
    let home = home();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let store = store(&home);
            let come_and_go = move |_| {
                let seq = commit(&store, vec![], vec![changed("p")]).unwrap()[0];
                close(&store);
                seq
            };
            std::thread::spawn(move || (0..25).map(come_and_go).collect::<Vec<u64>>())
        })
        .collect();
    let seqs: BTreeSet<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(seqs, (1..=100).collect());
}

#[test]
fn stores_that_make_the_same_database_at_once_agree() {
    for _ in 0..10 {
        let home = home();
        let (sender, seqs) = channel();
        let stores: Vec<Store> = (0..8).map(|_| store(&home)).collect();
        for store in &stores {
            let sender = sender.clone();
            let commit = Commit { records: vec![], events: vec![changed("p")] };
            store.commit(commit, move |seqs| sender.send(seqs).unwrap());
        }
        drop(sender);
        let seqs: BTreeSet<u64> = seqs.iter().map(|seqs| seqs.unwrap()[0]).collect();
        assert_eq!(seqs, (1..=8).collect());
    }
}
