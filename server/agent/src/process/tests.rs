//! Real processes, started without the helper: what holds everywhere.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Background, Ended, How, Order, Output, Spec, run};

fn order(line: &str, folder: &Path) -> Order {
    let argv = ["bash", "--noprofile", "--norc", "-c", line].map(str::to_owned).to_vec();
    Order {
        spec: Spec { argv, cwd: folder.to_owned(), confine: None },
        environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        helper: None,
        timeout: None,
    }
}

async fn run_with(order: Order, cancel: &CancellationToken) -> Ended {
    let output = Arc::new(Mutex::new(Output::new(order.spec.cwd.join("output.txt"))));
    run(order, output, cancel).await.unwrap()
}

async fn ran(line: &str) -> (How, String) {
    let folder = tempfile::tempdir().unwrap();
    let ended = run_with(order(line, folder.path()), &CancellationToken::new()).await;
    (ended.how, ended.output)
}

/// Waits until something is so. A bound far above what is expected ends a test that would hang.
async fn until(so: impl Fn() -> bool) {
    let mut tries = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..6000 {
        if so() {
            return;
        }
        tries.tick().await;
    }
    panic!("it never became so");
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X']) && !rest.is_empty())
}

#[tokio::test]
async fn status_and_both_streams_come_in_the_order_in_which_they_were_written() {
    assert_eq!(
        ran("echo one; echo two >&2; echo three; exit 7").await,
        (How::Exited(7), "one\ntwo\nthree\n".into())
    );
    assert_eq!(ran("kill -SEGV $$").await.0, How::Signalled(11));
    assert_eq!(ran("no-such-program-anywhere").await.0, How::Exited(127));
}

#[tokio::test]
async fn there_is_no_input_and_no_terminal() {
    assert_eq!(ran("cat; read x || echo none; tty").await.1, "none\nnot a tty\n");
}

#[tokio::test]
async fn nothing_of_our_environment_gets_there() {
    let said = ran("env").await.1;
    assert!(!said.contains("CARGO"), "{said}");
}

#[tokio::test]
async fn huge_output_is_bounded() {
    let (how, output) = ran("head -c 5000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo end").await;
    assert_eq!(how, How::Exited(0));
    assert!(output.len() < 31_000 && output.ends_with("end\n"), "{} bytes", output.len());
}

#[tokio::test]
async fn binary_output_is_told_by_its_size() {
    let (_, output) = ran("head -c 5000 /dev/zero").await;
    assert_eq!(output, "[5000 bytes that are no text]");
}

#[tokio::test]
async fn one_that_ignores_being_asked_is_ended_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let mut order = order("trap '' TERM; sleep 1000 & echo $$ $! >pids; wait; wait", folder.path());
    order.timeout = Some(Duration::from_secs(1));
    let ended = run_with(order, &CancellationToken::new()).await;
    assert_eq!(ended.how, How::TimedOut);
    let pids = std::fs::read_to_string(pids).unwrap();
    for pid in pids.split_whitespace() {
        until(|| !is_alive(pid)).await;
    }
}

#[tokio::test]
async fn a_child_in_the_background_does_not_hold_the_command_open() {
    let (how, output) = ran("(trap '' HUP; sleep 1000) & echo started; exit 3").await;
    assert_eq!((how, output.as_str()), (How::Exited(3), "started\n"));
}

#[tokio::test]
async fn cancelling_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    let order = order("echo $$ >pid; sleep 1000", folder.path());
    let pid = folder.path().join("pid");
    let written = || std::fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n'));
    let (ended, ()) = tokio::join!(run_with(order, &cancel), async {
        until(written).await;
        cancel.cancel();
    });
    assert_eq!(ended.how, How::Cancelled);
    let pid = std::fs::read_to_string(&pid).unwrap();
    until(|| !is_alive(pid.trim())).await;
}

#[tokio::test]
async fn one_that_nobody_waits_for_any_more_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    let pid = folder.path().join("pid");
    {
        let running = run_with(order("echo $$ >pid; sleep 1000", folder.path()), &cancel);
        tokio::select! {
            _ = running => panic!("it has ended"),
            () = until(|| std::fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n'))) => {}
        }
    }
    let pid = std::fs::read_to_string(&pid).unwrap();
    until(|| !is_alive(pid.trim())).await;
}

/// As many processes as fit into a small bound, all of which want more: none is left.
#[tokio::test]
async fn a_crowd_is_ended_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = "trap '' TERM; for i in $(seq 200); do (trap '' TERM; while :; do sleep 1000; done) & echo $! >>pids; done; wait";
    let mut order = order(crowd, folder.path());
    order.timeout = Some(Duration::from_secs(2));
    assert_eq!(run_with(order, &CancellationToken::new()).await.how, How::TimedOut);
    for pid in std::fs::read_to_string(folder.path().join("pids")).unwrap().lines() {
        until(|| !is_alive(pid)).await;
    }
}

#[tokio::test]
async fn a_background_command_is_looked_at_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let background = Background::default();
    background
        .start("cmd_1", "the line", order("echo here; sleep 1000", folder.path()), folder.path(), async {
            "\n[and more]".to_owned()
        })
        .unwrap();
    until(|| background.look("cmd_1").unwrap().output == "here\n").await;
    assert_eq!(background.look("cmd_1").unwrap().ended, None);
    assert!(background.stop("cmd_1") && !background.stop("cmd_2"));
    until(|| background.look("cmd_1").unwrap().ended.is_some()).await;
    let ended = background.list()[0].ended.clone().unwrap();
    assert!(ended.starts_with("cancelled") && ended.ends_with("\n[and more]"), "{ended}");
    background.end().await;
}
