use serde_json::json;

use crate::tool::tests::World;

#[test]
fn a_folder_is_listed_as_the_session_sees_it() {
    let mut world = World::new(&[("b.txt", ""), ("dir/x.txt", ""), (".hidden", "")]);
    world.call("write", json!({"path": "new/sub/n.txt", "content": "n"})).unwrap();
    world.call("write", json!({"path": "a.txt", "content": "a"})).unwrap();
    assert_eq!(world.call("list", json!({})).unwrap(), "f .hidden\nf a.txt\nf b.txt\nd dir\nd new");
    assert_eq!(world.call("list", json!({"path": "new"})).unwrap(), "d sub");
    let part = world.call("list", json!({"offset": 1, "limit": 2})).unwrap();
    assert_eq!(part, "f a.txt\nf b.txt\n(2 to 3 of 5 entries; go on with offset 3)");
    assert!(world.call("list", json!({"path": "none"})).unwrap_err().contains("cannot be listed"));
    assert!(world.call("list", json!({"path": ".."})).unwrap_err().contains("outside"));
}
