//! The pages of the guide that the reference links to, by the address of the repository, are there.

use std::path::Path;

const GUIDE: &str = "https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/";

/// The pages that a text links to.
fn linked(text: &str) -> Vec<&str> {
    text.split(GUIDE).skip(1).filter_map(|rest| rest.split_whitespace().next()).collect()
}

#[test]
fn each_linked_page_is_there_and_each_page_is_linked() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide");
    let reference = include_str!("../../cacheado/src/lib.rs");
    let attribute = include_str!("../../cacheado-macros/src/lib.rs");
    for page in linked(reference).into_iter().chain(linked(attribute)) {
        assert!(guide.join(page).is_file(), "there is no page {page}");
    }
    for page in guide.read_dir().unwrap() {
        let page = page.unwrap().file_name().into_string().unwrap();
        assert!(linked(reference).contains(&&*page), "{page} cannot be found from the reference");
    }
}

#[test]
fn the_address_is_that_of_the_repository() {
    let manifest = include_str!("../../Cargo.toml");
    let repository = GUIDE.strip_suffix("/blob/HEAD/docs/guide/").unwrap();
    assert!(manifest.contains(&format!("repository = \"{repository}\"")));
}
