use super::*;

#[test]
fn paths_stand_in_the_order_of_their_folders() {
    let names = ["a", "a-b", "a b", "ab", "é", ".x", "z"];
    let mut paths: Vec<PathBuf> = vec![PathBuf::from("/")];
    for from in [0, 1, names.len() + 1] {
        let deeper: Vec<PathBuf> =
            paths[from..].iter().flat_map(|path| names.map(|name| path.join(name))).collect();
        paths.extend(deeper);
    }
    for a in &paths {
        for b in &paths {
            assert_eq!(in_order(a, b), a.cmp(b), "{} {}", a.display(), b.display());
        }
    }
}
