//! Bodies that can go on without their caller: they own copies of what the parameters borrow.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote_spanned};

use super::{Call, attributes};
use crate::cached::lends::Lends;
use crate::cached::params::ParamKind;
use crate::krate::{generated, generated_at, private_at};

/// How a body is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By its caller.
    Plain,
    /// By its caller, who may be served with an older value where it fails.
    Guarded,
    /// With or without its caller.
    Detached,
}

impl Call {
    pub(super) fn way(&self) -> Way {
        if self.options.detached().is_some() {
            Way::Detached
        } else if self.options.stale_if_error.is_some() && self.function.is_async() {
            Way::Guarded
        } else {
            Way::Plain
        }
    }

    /// The name of the method that runs the body.
    pub(super) fn runner(&self) -> Ident {
        let name = match (self.function.is_async(), self.way()) {
            (false, Way::Detached) => "run_detached",
            (false, _) => "run",
            (true, Way::Plain) => "run_async",
            (true, Way::Guarded) => "run_async_guarded",
            (true, Way::Detached) => "run_async_detached",
        };
        Ident::new(name, generated())
    }

    /// Statements that copy what the parameters borrow, before the body; nothing for a body that its caller runs.
    pub(super) fn owning(&self) -> TokenStream {
        if self.way() != Way::Detached {
            return TokenStream::new();
        }
        let params = self.params.0.iter().enumerate();
        // One of these names may begin with an underscore.
        let lints = attributes::of_lookup(&self.params);
        params
            .map(|(index, param)| {
                let (ident, cfgs, private) = (&param.ident, &param.cfgs, private_at(param.span));
                let place = generated_at(param.span);
                if param.lends == Lends::Shared {
                    let owned = owned(index);
                    quote_spanned!(place=> #(#cfgs)* #lints let #owned = #private::Lent(#ident).owned();)
                } else {
                    quote_spanned!(place=> #(#cfgs)* #lints #private::assert_moved(&#ident);)
                }
            })
            .collect()
    }

    /// Statements that lend the copies to the body, as its first.
    pub(super) fn lending(&self) -> TokenStream {
        if self.way() != Way::Detached {
            return TokenStream::new();
        }
        let shared = self.params.0.iter().enumerate().filter(|(_, param)| param.lends == Lends::Shared);
        shared
            .map(|(index, param)| {
                let (owned, cfgs) = (owned(index), &param.cfgs);
                let ident = match param.kind {
                    ParamKind::Receiver => receiver(),
                    _ => param.ident.clone(),
                };
                let mutable = param.is_mut.then(|| quote_spanned!(generated()=> mut));
                let silent = attributes::of_binding();
                quote_spanned!(generated()=> #(#cfgs)* #silent let #mutable #ident = #owned.lend_();)
            })
            .collect()
    }

    /// The user's body; `self` in it is the copy, where there is one.
    pub(super) fn body(&self) -> TokenStream {
        let body = self.function.body.stream();
        let lends_self = self.params.receiver().is_some_and(|param| param.lends == Lends::Shared);
        if lends_self && self.way() == Way::Detached { with_self(body) } else { body }
    }
}

fn owned(index: usize) -> Ident {
    format_ident!("__cacheado_owned{index}", span = generated())
}

/// What stands for `self`, a name that nothing can be given.
fn receiver() -> Ident {
    Ident::new("__cacheado_self", generated())
}

/// The tokens with another name for `self`. That of paths, imports and visibilities, and of items within the body,
/// which have one of their own, stays.
fn with_self(tokens: TokenStream) -> TokenStream {
    let mut renamed = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let mut place = Place::default();
    while let Some(token) = tokens.next() {
        let next = match tokens.peek() {
            Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
            _ => None,
        };
        let is_foreign = place.is_foreign(&token, next);
        renamed.extend([match token {
            TokenTree::Group(group) if !is_foreign => TokenTree::Group(inside(&group)),
            TokenTree::Ident(ident) if ident == "self" && !is_foreign && next != Some(':') => {
                let mut receiver = receiver();
                receiver.set_span(generated_at(ident.span()));
                TokenTree::Ident(receiver)
            }
            other => other,
        }]);
    }
    renamed
}

/// What the tokens so far say of the next one.
#[derive(Default)]
struct Place {
    /// From `use` to its `;`.
    in_use: bool,
    /// After `impl` or `trait`, until the braces that hold its items: how many angle brackets are open.
    item: Option<usize>,
    /// `p` after `pub`, else the punctuation before.
    before: Option<char>,
}

impl Place {
    /// Whether `self` in this token, or as it, is none of the body's.
    fn is_foreign(&mut self, token: &TokenTree, next: Option<char>) -> bool {
        let before = self.before.take();
        match token {
            TokenTree::Ident(ident) if ident == "pub" => self.before = Some('p'),
            // `use<'a>` is no import, but a bound.
            TokenTree::Ident(ident) if ident == "use" => self.in_use = next != Some('<'),
            TokenTree::Ident(ident) if ident == "impl" || ident == "trait" => self.item = Some(0),
            TokenTree::Punct(punct) => {
                self.punctuation(punct.as_char(), before);
                self.before = Some(punct.as_char());
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && self.item == Some(0) => {
                self.item = None;
                return true;
            }
            TokenTree::Group(_) if before == Some('p') => return true,
            _ => {}
        }
        self.in_use
    }

    fn punctuation(&mut self, punct: char, before: Option<char>) {
        match (punct, &mut self.item) {
            (';', _) => self.in_use = false,
            ('<', Some(open)) => *open += 1,
            // `->` closes nothing.
            ('>', Some(open)) if before != Some('-') => *open = open.saturating_sub(1),
            _ => {}
        }
    }
}

fn inside(group: &Group) -> Group {
    let mut renamed = Group::new(group.delimiter(), with_self(group.stream()));
    renamed.set_span(group.span());
    renamed
}

#[cfg(test)]
mod tests {
    use super::with_self;

    #[test]
    fn self_is_renamed_in_the_body_and_not_in_items_within_it() {
        let body = "let a = self.find(&self.db, vec![self.id]); self::helper(|| self.x); \
                    impl Other { fn f(&self) -> u8 { self.0 } } fn g(_: impl Fn()) { h() } self . end()";
        let renamed = with_self(body.parse().expect("tokens")).to_string();
        assert_eq!(renamed.matches("__cacheado_self").count(), 5, "{renamed}");
        assert!(renamed.contains("self :: helper") || renamed.contains("self::helper"), "{renamed}");
        assert!(renamed.contains("& self") || renamed.contains("&self"), "{renamed}");
    }

    #[test]
    fn self_stays_in_imports_visibilities_and_behind_generic_arguments() {
        for (body, renamed) in [
            ("use std::fmt::{self, Write as _}; self.x", 1),
            ("mod inner { pub(self) const A: u32 = 1; } self.x", 1),
            ("impl A<{ 1 + 1 }> { fn f(&self) { self.x } } self.y", 1),
            ("impl<F: Fn() -> u8> A<F> for B<Vec<{ 2 }>> { fn f(&self) {} } { self.y }", 1),
            ("fn f() -> impl Sized + use<> { 1 } self.x; self.y", 2),
            ("struct S(pub u8); f(self)", 1),
        ] {
            let tokens = with_self(body.parse().expect("tokens")).to_string();
            assert_eq!(tokens.matches("__cacheado_self").count(), renamed, "{tokens}");
        }
    }
}
