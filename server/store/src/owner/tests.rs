//! The identity of processes, with real ones.

use super::*;

#[test]
fn the_start_is_found_behind_any_name() {
    let fields = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
    assert_eq!(ticks_of(&format!("12 (a) R b) S {fields}")), Some("4711"));
    assert_eq!(ticks_of(&format!("12 (a) Z {fields}")), None, "it has ended");
    assert_eq!(ticks_of("12 (a) S 1 2"), None);
}

#[test]
fn this_process_is_alive_and_another_start_is_another_process() {
    let us = Owner::this_process();
    assert!(us.is_alive());
    assert!(!us.start.is_empty());
    assert!(!Owner { start: "boot:1".into(), ..us.clone() }.is_alive());
    assert!(Owner { start: String::new(), ..us }.is_alive(), "the number alone says so");
}

#[test]
fn a_process_that_was_killed_is_gone_before_its_parent_notices() {
    let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let owner = Owner { pid: child.id(), start: start_of(child.id()).unwrap() };
    assert!(owner.is_alive());
    child.kill().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
    rustix::process::waitid(rustix::process::WaitId::Pid(pid), options).unwrap();
    assert!(!owner.is_alive(), "nobody has waited for it, so its number is still taken");
    child.wait().unwrap();
    assert!(!owner.is_alive());
}
