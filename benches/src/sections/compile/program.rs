//! The program that is built: the same functions for each contender, with the attribute that its users would write.

use std::fmt::Write as _;

/// Ten functions and what calls them.
const TEN: &str = include_str!("ten.txt");
const TENS: usize = 10;

/// How the functions of a program are cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    /// They are not.
    Plain,
    /// By `cached`.
    Cached,
    /// By cacheado.
    Cacheado,
    /// By cacheado, without siblings.
    Alone,
}

/// All of them, the one that the others are compared with first.
pub(super) const CONTENDERS: [Contender; 4] =
    [Contender::Plain, Contender::Cached, Contender::Cacheado, Contender::Alone];

impl Contender {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "no macro",
            Self::Cached => "cached",
            Self::Cacheado => "cacheado",
            Self::Alone => "cacheado, companions = false",
        }
    }

    /// The name of its package.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Plain => "timed-plain",
            Self::Cached => "timed-cached",
            Self::Cacheado => "timed-cacheado",
            Self::Alone => "timed-alone",
        }
    }

    /// The library, in the form of a dependency; `repository` is where ours is.
    fn dependency(self, repository: &str) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Cached => "cached = { version = \"4.1\", features = [\"async\"] }".to_owned(),
            Self::Cacheado | Self::Alone => {
                format!("cacheado = {{ path = {:?} }}", format!("{repository}/cacheado"))
            }
        }
    }

    /// The manifest of its package.
    pub(super) fn manifest(self, repository: &str) -> String {
        format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n\
             serde = {{ version = \"1\", features = [\"derive\", \"rc\"] }}\n\
             tokio = {{ version = \"1\", features = [\"rt\", \"rt-multi-thread\", \"sync\", \"time\"] }}\n\n\
             [profile.release]\nstrip = true\n\n[workspace]\n",
            self.package(),
            self.dependency(repository),
        )
    }

    /// What stands before the functions.
    fn head(self) -> &'static str {
        match self {
            Self::Plain => "fn prepare() {}",
            Self::Cached => "use cached::macros::cached;\n\nfn prepare() {}",
            Self::Cacheado | Self::Alone => {
                "use cacheado::prelude::*;\n\n\
                 cacheado::scopes! {\n    pub mod scopes {\n        organization(org_id) { user(user_id) }\n    }\n}\n\n\
                 fn prepare() {\n    let cache = Cache::builder().rule(cacheado::rules::Lru::new(100_000)).build();\n    \
                 cacheado::set_global(cache.unwrap()).unwrap();\n}"
            }
        }
    }

    /// The attribute that a line of the template is for it; `None` for another's.
    fn attribute(self, line: &str) -> Option<String> {
        let (library, arguments) = line.trim_start().strip_prefix('@')?.split_once(' ')?;
        let indent = &line[..line.len() - line.trim_start().len()];
        match (self, library) {
            (Self::Cached, "cached") | (Self::Cacheado, "cacheado") => {
                Some(format!("{indent}#[cached({arguments})]"))
            }
            (Self::Alone, "cacheado") => Some(format!("{indent}#[cached({arguments}, companions = false)]")),
            _ => None,
        }
    }

    /// The program with a hundred functions, or with none and the library linked.
    pub(super) fn source(self, has_functions: bool) -> String {
        let mut source = format!(
            "#![allow(dead_code, unused_imports)]\n\n\
             use std::sync::Arc;\n\nuse serde::{{Deserialize, Serialize}};\n\n{}\n{COMMON}\n",
            self.head()
        );
        let mut calls = String::new();
        for copy in (0..TENS).filter(|_| has_functions) {
            let number = copy.to_string();
            let _ = writeln!(source, "mod copy{copy} {{\n    use super::*;\n");
            for line in TEN.lines() {
                if line.trim_start().starts_with('@') {
                    self.attribute(line).into_iter().for_each(|line| source.extend([line.as_str(), "\n"]));
                } else {
                    source.extend([&line.replace("{n}", &number), "\n"]);
                }
            }
            source.push_str("}\n\n");
            let _ = writeln!(calls, "        let sum = sum + copy{copy}::call{copy}(id, &text).await;");
        }
        let _ = write!(
            source,
            "fn main() {{\n    prepare();\n    let id = std::env::args().count() as u64;\n    let text = format!(\"a-{{id}}\");\n    \
             let sum = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {{\n        \
             let sum = text.len() + owner_of(&text).await.len();\n{calls}        sum\n    }});\n    println!(\"{{sum}}\");\n}}\n"
        );
        source
    }
}

/// What the functions have in common.
const COMMON: &str = r#"
#[derive(Clone, Debug)]
pub enum LoadError {
    Missing(u64),
    Invalid(String),
}

fn owner(id: u64) -> Result<String, LoadError> {
    if id == 0 { Err(LoadError::Missing(id)) } else { Ok(format!("owner {id}")) }
}

async fn owner_of(text: &str) -> String {
    tokio::task::yield_now().await;
    format!("owner of {text}")
}
"#;
