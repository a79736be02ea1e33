//! Which proposals and turns belong to which folders, and that they come back as core has them.

use kkcode_core::effect::Effect;
use kkcode_core::event::{Author, Command, Event, FileOperations, Propose, Selection, StartTurn};
use kkcode_core::id::RequestId;
use kkcode_core::proposal::{NewHunk, Proposal};
use kkcode_core::state::State;

use super::*;

/// Commits a session with one proposal of one file, all with names made of `id`.
fn add(store: &Store, id: &str, folder: Option<&str>, path: &str, at: i64) {
    let (hash, lines) = text("old\n");
    let records = vec![
        session(&format!("s{id}"), folder),
        Record::Turn(turn(&format!("t{id}"), &format!("s{id}"), at)),
        proposal(&format!("p{id}"), &format!("s{id}"), &format!("t{id}"), at),
        Record::Text(hash.clone(), lines),
        file(&format!("p{id}"), path, &hash),
        ended(&format!("t{id}"), TurnStatus::Completed),
    ];
    commit(store, records, vec![]).unwrap();
}

fn ids(loaded: &Loaded) -> (Vec<&str>, Vec<&str>) {
    let proposals = loaded.known.proposals.iter().map(|proposal| proposal.id.as_str()).collect();
    (proposals, loaded.known.turns.iter().map(|turn| turn.id.as_str()).collect())
}

#[test]
fn folders_find_their_sessions_and_the_files_below_them() {
    let home = home();
    let store = store(&home);
    add(&store, "1", Some("/w"), "/w/x", 1);
    add(&store, "2", Some("/w/sub"), "/w/sub/x", 2);
    add(&store, "3", Some("/wide"), "/wide/x", 3);
    add(&store, "4", Some("/elsewhere"), "/w/sub/x", 4);
    add(&store, "5", None, "/w/x", 5);
    add(&store, "6", None, "/tmp/x", 6);
    let cases: [(&[&str], &[&str]); 10] = [
        (&["/w"], &["1", "2", "4", "5"]),
        (&["/w/"], &["1", "2", "4", "5"]),
        (&["/w/sub"], &["1", "2", "4"]),
        (&["/w/sub/deeper"], &["1", "2"]),
        (&["/w/su"], &["1"]),
        (&["/wide", "/tmp"], &["3", "6"]),
        (&["/elsewhere"], &["4"]),
        (&["/nowhere"], &[]),
        (&["/"], &["1", "2", "3", "4", "5", "6"]),
        (&[], &["5", "6"]),
    ];
    for (folders, expected) in cases {
        let loaded = load(&store, folders).unwrap();
        let named = |kind: &str| expected.iter().map(|id| format!("{kind}{id}")).collect::<Vec<_>>();
        let (proposals, turns) = ids(&loaded);
        assert_eq!(proposals, named("p"), "{folders:?}");
        assert_eq!(turns, named("t"), "{folders:?}");
    }
}

#[test]
fn a_turn_that_runs_here_belongs_to_every_folder() {
    let home = home();
    let first = store(&home);
    commit(&first, small(Some("/w"), "/w/x"), vec![]).unwrap();
    assert_eq!(ids(&load(&first, &["/other"]).unwrap()), (vec!["p"], vec!["t"]));
    assert_eq!(ids(&load(&first, &[]).unwrap()), (vec!["p"], vec!["t"]));
    commit(&first, vec![ended("t", TurnStatus::Cancelled)], vec![]).unwrap();
    assert_eq!(ids(&load(&first, &["/other"]).unwrap()), (vec![], vec![]));
}

#[test]
fn only_the_newest_are_loaded_but_whole_conversations() {
    let home = home();
    let store = store(&home);
    let mut records = vec![session("old", Some("/w")), session("s", Some("/w"))];
    records.push(Record::Turn(turn("t-old", "old", 0)));
    records.extend((1..=3).map(|at| proposal(&format!("p-old{at}"), "old", "t-old", at)));
    records.extend((1..=205).map(|at| Record::Turn(turn(&format!("t{at}"), "s", at))));
    records.extend((4..=203).map(|at| proposal(&format!("p{at}"), "s", "t1", at)));
    let ends = |id: &str| ended(id, TurnStatus::Completed);
    records.push(ends("t-old"));
    records.extend((1..=205).map(|at| ends(&format!("t{at}"))));
    commit(&store, records, vec![]).unwrap();

    let loaded = load(&store, &["/w"]).unwrap();
    let (proposals, turns) = ids(&loaded);
    assert_eq!((proposals.len(), proposals[0], proposals[199]), (200, "p4", "p203"));
    assert_eq!(
        (turns.len(), turns[0], turns[204]),
        (205, "t1", "t205"),
        "all turns of a loaded proposal's session"
    );

    // Somebody who goes on with it gets all of it, but not in another folder.
    let wanted = |folder: &str| {
        let (folders, sessions) = (vec![folder.into()], vec![SessionId::new("old"), SessionId::new("gone")]);
        wait(|done| store.load(folders, sessions, done)).unwrap()
    };
    let loaded = wanted("/w");
    let (proposals, turns) = ids(&loaded);
    assert_eq!((proposals.len(), &proposals[..3]), (203, &["p-old1", "p-old2", "p-old3"][..]));
    assert_eq!((turns.len(), turns[0]), (206, "t-old"));
    assert_eq!(ids(&wanted("/elsewhere")), (vec![], vec![]));

    commit(&store, vec![proposal("p-new", "old", "t-old", 300)], vec![]).unwrap();
    let loaded = load(&store, &["/w"]).unwrap();
    let (proposals, turns) = ids(&loaded);
    assert_eq!((proposals.len(), proposals[199]), (200, "p-new"));
    assert_eq!((turns.len(), turns[0]), (206, "t-old"));
}

#[test]
fn nothing_is_made_by_reading() {
    let home = home();
    let store = store(&home);
    assert_eq!(load(&store, &["/w"]).unwrap(), Loaded::default());
    assert_eq!(
        wait(|done| store.messages(SessionId::new("s"), done)).unwrap(),
        Vec::<serde_json::Value>::new()
    );
    assert!(!home.path().join("home").exists());

    std::fs::create_dir(home.path().join("home")).unwrap();
    std::fs::write(database_of(&home), "").unwrap();
    assert_eq!(load(&store, &["/w"]).unwrap(), Loaded::default());
    assert_eq!(std::fs::metadata(database_of(&home)).unwrap().len(), 0);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    assert_eq!(load(&store, &["/w"]).unwrap().known.proposals.len(), 1);
}

/// Core's own state, everything that it wants to have written down in a store, and numbers that only look random.
struct World {
    state: State,
    store: Store,
    seed: u64,
    count: u64,
}

impl World {
    fn below(&mut self, end: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap() % end
    }

    fn command(&mut self, command: Command) {
        self.count += 1;
        let request = RequestId(self.count);
        for effect in self.state.handle(Event::Requested { request, command }, Timestamp(1)) {
            match effect {
                Effect::Persist(written) => {
                    commit(&self.store, written.records, written.events).unwrap();
                }
                Effect::Reply(_, reply) => drop(reply.unwrap()),
                _ => {}
            }
        }
    }

    /// Proposes some hunks in one of three texts; those that are pending may be carried over to where they were.
    fn propose(&mut self, turn: &str) {
        let path = PathBuf::from(["/w/a", "/w/b"][self.below(2)]);
        let base = Arc::new(Lines::new(
            ["1\n2\n3\n4\n5\n6\n", "0\n2\n3\n4\n5\n6\n", "6\n5\n4\n3\n2\n1\n"][self.below(3)],
        ));
        let mut hunks = Vec::new();
        let mut line = 0;
        while line < 5 {
            let (start, end) = (line + self.below(2), line + 1 + self.below(2));
            if start < end && self.below(3) > 0 {
                let new_text = ["x\n", "y\n", ""][self.below(3)].into();
                hunks.push(NewHunk { old: start..end, old_text: base.slice(start..end).into(), new_text });
            }
            line = end + 1;
        }
        let reviews = self.state.snapshot().reviews;
        let files = reviews.iter().filter_map(|review| review.proposal.file(&path));
        let pending = files.flat_map(|file| &file.hunks).filter(|hunk| hunk.verdict == Verdict::Undecided);
        let carried: Vec<_> = pending.map(|hunk| (hunk.id.clone(), hunk.old.clone())).collect();
        let carried = carried.into_iter().filter(|_| self.below(4) > 0).collect();
        let at = Timestamp(i64::try_from(self.count).unwrap());
        self.command(Command::Propose(vec![Propose {
            by: Author::Turn {
                turn: TurnId::new(turn),
                new_proposal: ProposalId::new(format!("p{}", self.count)),
            },
            path,
            kind: ChangeKind::Modify,
            base,
            hunks,
            carried,
            apply: false,
            at,
        }]));
    }

    fn reject_one(&mut self) {
        let reviews = self.state.snapshot().reviews;
        let undecided: Vec<_> = reviews
            .iter()
            .flat_map(|review| review.proposal.files.iter().map(|file| (&review.proposal.id, file)))
            .flat_map(|(id, file)| file.hunks.iter().map(move |hunk| (id, hunk)))
            .filter(|(_, hunk)| hunk.verdict == Verdict::Undecided)
            .collect();
        if undecided.is_empty() {
            return;
        }
        let (proposal, hunk) = undecided[self.below(undecided.len())];
        let (proposal, hunk) = (proposal.clone(), hunk.id.clone());
        let reason = (self.below(2) == 0).then(|| "no".to_owned());
        self.command(Command::Reject { proposal, hunks: Selection::Hunk(hunk), reason, replacement: None });
    }
}

#[test]
fn proposals_come_back_exactly_as_core_has_them() {
    let home = home();
    let mut world = World { state: State::default(), store: store(&home), seed: 1, count: 0 };
    let folders = vec![PathBuf::from("/w")];
    let encoding = kkcode_core::text::PositionEncoding::Utf16;
    let attached = Event::Attached { encoding, folders, operations: FileOperations::default() };
    world.state.handle(attached, Timestamp(0));
    world.command(Command::StartTurn(StartTurn {
        turn: TurnId::new("t"),
        session: SessionId::new("s"),
        new_session: true,
        prompt: "do it".into(),
        model: None,
        level: None,
        mode: Mode::default(),
        proposes_only: false,
        excerpts: Vec::new(),
        comments: Vec::new(),
        at: Timestamp(0),
    }));
    let mut hunks = 0;
    for _ in 0..60 {
        world.propose("t");
        if world.below(2) == 0 {
            world.reject_one();
        }
        let snapshot = world.state.snapshot();
        let expected: Vec<Proposal> = {
            let mut proposals: Vec<_> =
                snapshot.reviews.iter().map(|review| review.proposal.clone()).collect();
            proposals.sort_by_key(|proposal| proposal.created_at);
            proposals
        };
        let loaded = load(&world.store, &["/w"]).unwrap();
        assert_eq!(loaded.known.proposals, expected);
        assert_eq!(loaded.known.turns, snapshot.turns.values().cloned().collect::<Vec<_>>());
        for (hash, lines) in &loaded.known.texts {
            assert_eq!(TextHash::of(lines.text()), *hash);
        }
        hunks = expected.iter().flat_map(|proposal| &proposal.files).map(|file| file.hunks.len()).sum();
    }
    assert!(hunks > 40, "{hunks} hunks, among them equal ones of several bases");
}
